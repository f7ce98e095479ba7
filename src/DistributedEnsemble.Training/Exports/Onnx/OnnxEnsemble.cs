using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tasks;
using global::Onnx;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>Models and their average as one graph.</summary>
internal static class OnnxEnsemble
{
    /// <summary>What OnnxRuntime 1.14 and later read.</summary>
    private const long Opset = 17, OpsetOfTables = 3, IrVersion = 8;

    /// <summary>A protocol buffer's, less what is not weights.</summary>
    private const long MostBytes = int.MaxValue - (1 << 24);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="isCalibrated">Whether predictions after the task's calibration are answered, too.</param>
    /// <param name="models">In the order in which they are summed; each is used up before the next is asked for.</param>
    /// <exception cref="SpecException">ONNX knows nothing of a layer, a column or the task, or the models are too large for one file.</exception>
    public static OnnxGraph Graph(string name, DataDescription data, LearningTask task, bool isCalibrated, IEnumerable<OnnxModel> models)
    {
        var graph = new OnnxGraph(name);
        var answers = OnnxAnswers.For(task, isCalibrated, graph);
        graph.Reserve(answers.Outputs);
        var inputs = new OnnxInputs(graph, data).Prepared();
        var all = new List<(string[], int)>();
        foreach (var model in models)
        {
            all.Add((answers.Of(new OnnxNetwork(graph, model).Outputs(inputs), model.Network.Submodels), model.Multiplicity));
            if (graph.Bytes > MostBytes) throw new SpecException("The models have more than 2 GiB of weights, and an ONNX file holds no more. Choose fewer of them.");
        }

        answers.Answer(answers.Mean(all));
        return graph;
    }

    /// <summary>The columns that are asked for, in the order of the inputs, or of the numbers of the only one: a program sees no descriptions of inputs.</summary>
    public static IReadOnlyList<(string Key, string Value)> Columns(DataDescription data) => data.InputShape is [_, _, _] ? []
        : [("columns", JsonSerializer.Serialize(data.Features.Select(feature => feature.Name), s_json))];

    /// <param name="facts">For those who read the file later.</param>
    public static ModelProto Model(OnnxGraph graph, LearningTask task, params IReadOnlyList<(string Key, string Value)> facts)
    {
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset }, new OperatorSetIdProto { Domain = OnnxGraph.Tables, Version = OpsetOfTables } },
            ProducerName = "DistributedEnsemble",
            Graph = graph.ToProto(),
        };
        var all = facts.Append(("task", task.Name));
        if (task.Target is { } target) all = all.Append(("target", target));
        if (task is Classification { Classes: var classes }) all = all.Append(("classes", JsonSerializer.Serialize(classes, s_json)));
        model.MetadataProps.AddRange(all.Select(fact => new StringStringEntryProto { Key = fact.Item1, Value = fact.Item2 }));
        return model;
    }
}

/// <param name="Prefix">Before the names of its weights.</param>
/// <param name="Multiplicity">How often it counts in the average.</param>
internal sealed record OnnxModel(string Prefix, Network Network, Weights Weights, int Multiplicity);

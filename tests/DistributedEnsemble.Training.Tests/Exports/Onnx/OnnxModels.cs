using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Exports.Onnx;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DistributedEnsemble.Training.Tests.Exports.Onnx;

/// <summary>A briefly trained ensemble of two models, the second of which counts twice, here and as an ONNX file.</summary>
internal sealed class OnnxModels : IDisposable
{
    private static readonly int[] s_multiplicities = [1, 2];

    private readonly TrainingPlan _plan;
    private readonly Weights[] _weights;
    private readonly InferenceSession _session;

    /// <param name="steps">Of each member.</param>
    public OnnxModels(TrainingPlan plan, int steps = 12)
    {
        _plan = plan;
        Data = DataDescription.FromJson(DataDescription.Of(plan).ToJson());
        _weights = [.. Enumerable.Range(0, 2).Select(member =>
        {
            using var training = new MemberTraining(plan, member);
            training.TrainTo(plan, steps);
            return training.CopyWeights();
        })];
        Task = Fitted(plan);
        Bytes = Write();
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(Bytes, options);
    }

    public DataDescription Data { get; }

    /// <summary>With what the validation split says of the two.</summary>
    public LearningTask Task { get; }

    public byte[] Bytes { get; }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    public byte[] Write()
    {
        var graph = OnnxEnsemble.Graph(
            "test", Data, Task, isCalibrated: true, _weights.Select((weights, i) => new OnnxModel($"member{i}.", _plan.Of(i).Network, weights, s_multiplicities[i])));
        return OnnxEnsemble.Model(graph, Task, ("run", "test")).ToByteArray();
    }

    /// <summary>What is predicted here.</summary>
    /// <param name="raw">Inputs before the run's preprocessing, row after row.</param>
    public IReadOnlyList<OutputValues> Predict(ReadOnlySpan<float> raw, bool isCalibrated = false) => Task.Predict(Answers(raw), isCalibrated);

    /// <summary>What OnnxRuntime answers, by the names of the outputs.</summary>
    public Dictionary<string, Array> Run(IEnumerable<NamedOnnxValue> inputs)
    {
        using var outputs = _session.Run([.. inputs]);
        return outputs.ToDictionary(output => output.Name, output => output.Value switch
        {
            Tensor<float> numbers => (Array)numbers.ToArray(),
            Tensor<string> texts => texts.ToArray(),
            var other => throw new InvalidOperationException($"{output.Name} is {other}."),
        });
    }

    /// <summary>The columns of a table as the file takes them, of cells as a client sends them.</summary>
    public IEnumerable<NamedOnnxValue> Values(IReadOnlyList<RowColumn> columns)
    {
        if (Inputs.ContainsKey(OnnxInputs.Matrix))
        {
            var matrix = new DenseTensor<double>([columns[0].Count, columns.Count]);
            for (var row = 0; row < columns[0].Count; row++) for (var i = 0; i < columns.Count; i++) matrix[row, i] = columns[i].Numbers[row];
            return [NamedOnnxValue.CreateFromTensor(OnnxInputs.Matrix, matrix)];
        }

        // One whose name is an answer's, too, has a word behind it.
        return columns.Select(column => (column, Name: Inputs.Keys.First(name => name == column.Name || name == $"{column.Name} (column)"))).Select(given => Value(given.Name, given.column));
    }

    private NamedOnnxValue Value(string name, RowColumn column) => Data.Features.Single(feature => feature.Name == column.Name) switch
    {
        NumberColumn => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<double>(column.Numbers.ToArray(), [column.Count, 1])),
        DateTimeColumn date => NamedOnnxValue.CreateFromTensor(
            name, new DenseTensor<double>(column.Texts.Select(text => OnnxRows.Seconds(date, text)).ToArray(), [column.Count, 1])),
        _ => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(column.Texts.ToArray(), [column.Count, 1])),
    };

    public void Dispose()
    {
        _session.Dispose();
        foreach (var weights in _weights) weights.Dispose();
    }

    private double[] Answers(ReadOnlySpan<float> raw)
    {
        var inputs = raw.ToArray();
        Data.Preprocessing.Apply(inputs);
        var ensemble = new Ensemble([.. _weights.Select((weights, i) => Predictors.Create(_plan, weights, i, 0))], s_multiplicities);
        return BatchedPrediction.Of(ensemble, inputs, (int)Data.Inputs.Width);
    }

    private LearningTask Fitted(TrainingPlan plan)
    {
        var samples = plan.Samples(DataPart.Validation);
        var answers = _weights.Select((weights, i) => (ReadOnlyMemory<double>)BatchedPrediction.OfRows(
            Predictors.Create(plan, weights, i, 0), samples, 0, (int)samples.Count)).ToArray();
        return plan.Task.Fitted(plan.Task.Fit(AnswerRows.Of(answers, s_multiplicities), samples.Targets));
    }
}

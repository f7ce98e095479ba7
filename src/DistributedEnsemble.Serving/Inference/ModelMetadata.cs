using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>What the Open Inference Protocol v2 tells of a model.</summary>
internal static class ModelMetadata
{
    /// <summary>A run is trained once: it has one version.</summary>
    public const string Version = "1";

    public const string Platform = "distributed-ensemble";

    public static object Of(string name, ServedModel model) => new
    {
        name,
        versions = new[] { Version },
        platform = Platform,
        inputs = Inputs(model),
        outputs = Outputs(model),
        parameters = Parameters(model),
    };

    public static Tensor[] Inputs(ServedModel model) => model.Columns.IsEmpty
        ? [new Tensor(InferProtocol.InputName, "FP32", [-1, .. model.InputShape])]
        : [.. model.Columns.Select(column => new Tensor(column.Name, column.Datatype, [-1, 1]))];

    public static IEnumerable<Tensor> Outputs(ServedModel model) => OutputTensor.Of(model).Select(tensor => new Tensor(tensor.Name, tensor.Datatype, tensor.Shape()));

    /// <summary>Triton's model configuration, as far as its clients read it.</summary>
    public static object Configuration(string name, ServedModel model, int maxRows) => new Dictionary<string, object>
    {
        ["name"] = name,
        ["platform"] = Platform,
        ["backend"] = Platform,
        ["max_batch_size"] = maxRows,
        ["input"] = model.Columns.IsEmpty
            ? [Configured(InferProtocol.InputName, "FP32", model.InputShape)]
            : model.Columns.Select(column => Configured(column.Name, column.Datatype, [1])).ToArray(),
        ["output"] = OutputTensor.Of(model).Select(tensor => Configured(tensor.Name, tensor.Datatype, [.. tensor.Shape().Skip(1)])),
    };

    /// <summary>The names of the default output's elements are those of the classes, where there are some.</summary>
    private static Dictionary<string, object> Parameters(ServedModel model)
    {
        var parameters = new Dictionary<string, object> { ["task"] = model.Task, ["members"] = model.Members };
        if (model.Outputs[0].Columns is { IsEmpty: false } classes) parameters["classes"] = classes;
        // A table of numbers takes all of a row's in one tensor, too.
        if (!model.Columns.IsEmpty && model.TakesRows) parameters["rows"] = new Tensor(InferProtocol.InputName, "FP32", [-1, .. model.InputShape]);
        return parameters;
    }

    private static Dictionary<string, object> Configured(string name, string datatype, IReadOnlyList<long> dims)
    {
        var tensor = new Dictionary<string, object>
        {
            ["name"] = name,
            ["data_type"] = datatype == "BYTES" ? "TYPE_STRING" : $"TYPE_{datatype}",
            ["dims"] = dims,
        };
        if (dims.Count > 0) return tensor;
        // Triton's configuration has no tensor without dimensions: one number a row is [1], reshaped to nothing.
        tensor["dims"] = new long[] { 1 };
        tensor["reshape"] = new { shape = dims };
        return tensor;
    }

    /// <param name="Shape">With −1 where a size is not fixed.</param>
    public sealed record Tensor(string Name, string Datatype, long[] Shape);
}

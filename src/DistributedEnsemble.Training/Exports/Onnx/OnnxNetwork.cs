using static DistributedEnsemble.Training.Exports.Onnx.OnnxGraph;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>A network with its weights as nodes of a graph, with the expectation of its dropout.</summary>
/// <remarks>A new layer is one line and one method here.</remarks>
internal sealed class OnnxNetwork(OnnxGraph graph, OnnxModel model)
{
    private readonly NetworkBuilder _shapes = new(model.Network.InputShape);

    /// <param name="inputs">[rows, …input shape], float32.</param>
    /// <returns>[rows, outputs], float32.</returns>
    /// <exception cref="SpecException">ONNX knows nothing of a layer.</exception>
    public string Outputs(string inputs) => Chain(model.Network.Layers, inputs);

    private string Chain(IEnumerable<Layer> layers, string inputs) => layers.Aggregate(inputs, (value, layer) => Apply(layer, value));

    private string Apply(Layer layer, string inputs)
    {
        if (layer is Residual residual) return Apply(residual, inputs);
        var (shape, first) = (_shapes.Shape, _shapes.Tensors.Count);
        // It follows the shapes and numbers the tensors as it did for the network.
        _shapes.Chain([layer]);
        string[] tensors = [.. _shapes.Tensors.Skip(first).Select(Tensor)];
        return layer switch
        {
            Flatten => shape.Count == 1 ? inputs : graph.Node("Flatten", [inputs], Attribute("axis", 1L)),
            Dense => graph.Node("Gemm", [inputs, .. tensors], Attribute("transB", 1L)),
            Relu => graph.Node("Relu", [inputs]),
            Dropout dropout => Apply(dropout, inputs),
            Convolution convolution => Apply(convolution, inputs, tensors),
            MaxPool => graph.Node("MaxPool", [inputs], Attribute("kernel_shape", [2L, 2]), Attribute("strides", [2L, 2])),
            PadImage => Pad(inputs, shape),
            ChannelMean => graph.Node("Flatten", [graph.Node("GlobalAveragePool", [inputs])], Attribute("axis", 1L)),
            BatchNorm => graph.Node("BatchNormalization", [inputs, .. tensors], Attribute("epsilon", (float)BatchNorm.Epsilon)),
            SelectInputs select => graph.Node("Gather", [inputs, graph.Constant([select.Places.Count], [.. select.Places.Select(place => (long)place)])], Attribute("axis", 1L)),
            Embedding embedding => Apply(embedding, inputs, (int)shape[0], tensors),
            ModuleLayer module => throw new SpecException(
                $"The layer of model.kind \"{module.Kind}\" is a module of the host's own: ONNX knows nothing of it. Export this run as safetensors."),
            _ => throw new SpecException(
                $"The layer {layer.GetType().Name} is the host's own: ONNX knows nothing of it. Export this run as safetensors."),
        };
    }

    private string Apply(Dropout dropout, string units) => dropout.Kind switch
    {
        DropoutKind.Inverted => units,
        DropoutKind.Vanilla => graph.Node("Mul", [units, graph.Constant([], (float)(1 - dropout.Rate))]),
    };

    private string Apply(Convolution convolution, string images, string[] tensors) => graph.Node(
        "Conv", [images, .. tensors], Attribute("kernel_shape", [convolution.Size, convolution.Size]),
        Attribute("pads", Enumerable.Repeat((long)convolution.Padding, 4)), Attribute("strides", [convolution.Stride, convolution.Stride]));

    private string Pad(string images, IReadOnlyList<long> shape)
    {
        var (rows, columns) = (_shapes.Shape[1] - shape[1], _shapes.Shape[2] - shape[2]);
        return rows + columns == 0 ? images : graph.Node(
            "Pad", [images, graph.Constant([8], 0L, 0, rows / 2, columns / 2, 0, 0, rows - rows / 2, columns - columns / 2)]);
    }

    private string Apply(Residual residual, string images)
    {
        var channels = _shapes.Shape[0];
        var residue = Chain(residual.Residue, images);
        var shortcut = images;
        if (residual.Stride > 1)
        {
            shortcut = graph.Node("Slice", [
                shortcut, graph.Constant([2], 0L, 0), graph.Constant([2], long.MaxValue, long.MaxValue), graph.Constant([2], 2L, 3),
                graph.Constant([2], (long)residual.Stride, residual.Stride)]);
        }

        if (residual.Channels > channels) shortcut = graph.Node("Pad", [shortcut, graph.Constant([8], 0L, 0, 0, 0, 0, residual.Channels - channels, 0, 0)]);
        return graph.Node("Relu", [graph.Node("Add", [residue, shortcut])]);
    }

    private string Apply(Embedding embedding, string inputs, int width, string[] tables)
    {
        long[] rest = [.. Enumerable.Range(0, width).Except(embedding.Inputs.Select(input => input.Place)).Select(place => (long)place)];
        var parts = embedding.Inputs.Zip(tables, (input, table) =>
            graph.Node("Gather", [table, graph.Cast(Column(input.Place), global::Onnx.TensorProto.Types.DataType.Int64)]));
        if (rest.Length > 0) parts = parts.Prepend(graph.Node("Gather", [inputs, graph.Constant([rest.Length], rest)], Attribute("axis", 1L)));
        return graph.Node("Concat", [.. parts], Attribute("axis", 1L));

        string Column(long place) => graph.Node("Gather", [inputs, graph.Constant([], place)], Attribute("axis", 1L));
    }

    private string Tensor(TensorPlace place) => graph.Tensor(model.Prefix + place.Name, place.Shape, model.Weights.Values(place));
}

using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Torch;
using static DistributedEnsemble.Training.Exports.Onnx.OnnxGraph;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>A network with its weights as nodes of a graph, with the expectation of its dropout.</summary>
/// <remarks>A new layer is one line and one method here.</remarks>
internal sealed class OnnxNetwork(OnnxGraph graph, OnnxModel model)
{
    private readonly NetworkBuilder _shapes = new(model.Network.InputShape);

    /// <param name="inputs">[rows, …input shape], float32.</param>
    /// <returns>[rows, …output shape], float32.</returns>
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
            PiecewiseLinear numbers => Apply(numbers, inputs, (int)shape[0], tensors),
            AdaptedDense => Adapted(shape.Count == 1 ? graph.Node("Unsqueeze", [inputs, graph.Constant([1], 1L)]) : inputs, tensors),
            SeparateDense => graph.Node("Add", [graph.Node("Einsum", [inputs, tensors[0]], Attribute("equation", "nsf,suf->nsu")), tensors[1]]),
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

    private string Adapted(string inputs, string[] tensors)
    {
        var products = graph.Node("MatMul", [graph.Node("Mul", [inputs, tensors[1]]), graph.Node("Transpose", [tensors[0]], Attribute("perm", [1L, 0]))]);
        return graph.Node("Add", [graph.Node("Mul", [products, tensors[2]]), tensors[3]]);
    }

    private string Apply(PiecewiseLinear numbers, string inputs, int width, string[] tensors)
    {
        string Row(string tensor, long i) => graph.Node("Gather", [tensor, graph.Constant([], i)], Attribute("axis", 0L));
        var parts = numbers.Inputs.Select((number, i) =>
        {
            var x = graph.Node("Gather", [inputs, graph.Constant([1], (long)number.Place)], Attribute("axis", 1L));
            var line = graph.Node("Add", [graph.Node("Mul", [x, Row(tensors[0], i)]), Row(tensors[1], i)]);
            float[] lower = [.. number.Edges.SkipLast(1)], widths = [.. number.Edges.Zip(number.Edges.Skip(1), (from, to) => to - from)];
            var shares = graph.Node("Div", [graph.Node("Sub", [x, graph.Constant([number.Bins], lower)]), graph.Constant([number.Bins], widths)]);
            float[] least = [float.NegativeInfinity, .. Enumerable.Repeat(0f, number.Bins - 1)], most = [.. Enumerable.Repeat(1f, number.Bins - 1), float.PositiveInfinity];
            shares = graph.Node("Min", [graph.Node("Max", [shares, graph.Constant([number.Bins], least)]), graph.Constant([number.Bins], most)]);
            return graph.Node("Add", [line, graph.Node("MatMul", [shares, tensors[2 + i]])]);
        });
        return Behind(Rest(inputs, width, numbers.Inputs.Select(number => number.Place)), parts);
    }

    private string Apply(Embedding embedding, string inputs, int width, string[] tables)
    {
        return Behind(Rest(inputs, width, embedding.Inputs.Select(input => input.Place)), embedding.Inputs.Zip(tables, (input, table) =>
            graph.Node("Gather", [table, graph.Cast(Column(input.Place), global::Onnx.TensorProto.Types.DataType.Int64)])));

        string Column(long place) => graph.Node("Gather", [inputs, graph.Constant([], place)], Attribute("axis", 1L));
    }

    /// <summary>The inputs that have no vectors; null if there are none.</summary>
    private string? Rest(string inputs, int width, IEnumerable<int> embedded)
    {
        long[] rest = [.. Enumerable.Range(0, width).Except(embedded).Select(place => (long)place)];
        return rest.Length == 0 ? null : graph.Node("Gather", [inputs, graph.Constant([rest.Length], rest)], Attribute("axis", 1L));
    }

    private string Behind(string? rest, IEnumerable<string> vectors) =>
        graph.Node("Concat", [.. rest is null ? [] : (string[])[rest], .. vectors], Attribute("axis", 1L));

    private string Tensor(TensorPlace place) => graph.Tensor(model.Prefix + place.Name, place.Shape, model.Weights.Values(place));
}

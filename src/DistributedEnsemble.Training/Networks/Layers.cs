using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>y = x·Wᵀ + b; weight [units, features].</summary>
public sealed record Dense(int Units) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var features = builder.Shape[^1];
        var weight = builder.Parameter("weight", [Units, features], Initialization.FanIn(features), isDecayed: true);
        var bias = builder.Parameter("bias", [Units], Initialization.FanIn(features), isDecayed: false);
        builder.Shape = [Units];
        return builder.Precision == Precision.Float32
            ? (weights, inputs, _) => functional.linear(inputs, weights[weight], weights[bias])
            : (weights, inputs, _) =>
                functional.linear(inputs.bfloat16(), weights[weight].bfloat16(), weights[bias].bfloat16()).to(ScalarType.Float32);
    }
}

/// <summary>A square convolution; weight [filters, channels, size, size].</summary>
/// <param name="HasBias">Without it a batch norm that follows has the bias.</param>
public sealed record Convolution(int Filters, int Size, int Padding = 0, int Stride = 1, bool HasBias = true) : Layer
{
    /// <summary>How the weights start, given the fan-in.</summary>
    internal Func<long, Initialization> Start { get; init; } = Initialization.FanIn;

    public override Function Build(NetworkBuilder builder)
    {
        var (channels, height, width) = (builder.Shape[0], builder.Shape[1], builder.Shape[2]);
        var fanIn = channels * Size * Size;
        var weight = builder.Parameter("weight", [Filters, channels, Size, Size], Start(fanIn), isDecayed: true);
        int? bias = HasBias ? builder.Parameter("bias", [Filters], Initialization.FanIn(fanIn), isDecayed: false) : null;
        builder.Shape = [Filters, (height + 2 * Padding - Size) / Stride + 1, (width + 2 * Padding - Size) / Stride + 1];
        long[] padding = [Padding, Padding], strides = [Stride, Stride];
        return builder.Precision == Precision.Float32
            ? (weights, inputs, _) => functional.conv2d(inputs, weights[weight], Bias(weights), strides, padding)
            : (weights, inputs, _) => functional.conv2d(
                inputs.bfloat16(), weights[weight].bfloat16(), Bias(weights)?.bfloat16(), strides, padding).to(ScalarType.Float32);

        Tensor? Bias(Weights weights) => bias is { } place ? weights[place] : null;
    }
}

public sealed record Relu : Layer
{
    public override Function Build(NetworkBuilder builder) => (_, inputs, _) => functional.relu(inputs);
}

/// <summary>The maximum of each 2×2 square.</summary>
public sealed record MaxPool : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        builder.Shape = [builder.Shape[0], builder.Shape[1] / 2, builder.Shape[2] / 2];
        return (_, inputs, _) => is_grad_enabled() ? functional.max_pool2d(inputs, 2) : Maximum(inputs);
    }

    /// <summary>
    /// The same bits in a third of the time: torch's own looks at one number after another. Its gradient would be another, where
    /// numbers of a square are equal.
    /// </summary>
    private static Tensor Maximum(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (inputs.size(2) / 2 * 2, inputs.size(3) / 2 * 2);
        var ofRows = maximum(inputs.slice(2, 0, rows, 2), inputs.slice(2, 1, rows, 2));
        return maximum(ofRows.slice(3, 0, columns, 2), ofRows.slice(3, 1, columns, 2)).MoveToOuterDisposeScope();
    }
}

/// <summary>Zeros around images smaller than <paramref name="Size"/> on a side; others pass unchanged.</summary>
public sealed record PadImage(int Size) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (height, width) = (builder.Shape[1], builder.Shape[2]);
        var (rows, columns) = (Math.Max(0, Size - height), Math.Max(0, Size - width));
        if (rows + columns == 0) return (_, inputs, _) => inputs;
        builder.Shape = [builder.Shape[0], height + rows, width + columns];
        long[] padding = [columns / 2, columns - columns / 2, rows / 2, rows - rows / 2];
        return (_, inputs, _) => functional.pad(inputs, padding);
    }
}

/// <summary>One vector of each row.</summary>
public sealed record Flatten : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        if (builder.Shape.Count == 1) return (_, inputs, _) => inputs;
        builder.Shape = [builder.Shape.Aggregate(1L, (product, size) => product * size)];
        return (_, inputs, _) => inputs.flatten(1);
    }
}

using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

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
        var patches = new Patches((int)channels, (int)height, (int)width, Size, Padding, Stride, builder.Border);
        var (weightOffset, biasOffset) = (builder.Offset(weight), bias is { } tensor ? builder.Offset(tensor) : -1);
        builder.Operation = place => new ConvolutionOperation(patches, Filters, weightOffset, biasOffset, place);
        long[] padding = [Padding, Padding], strides = [Stride, Stride];
        return (weights, inputs, _) => functional.conv2d(inputs, weights[weight], bias is { } place ? weights[place] : null, strides, padding);
    }
}

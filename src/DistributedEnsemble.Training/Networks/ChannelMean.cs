using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Networks;

/// <summary>The mean of each channel's pixels.</summary>
public sealed record ChannelMean : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (channels, pixels) = ((int)builder.Shape[0], (int)(builder.Shape[1] * builder.Shape[2]));
        builder.Shape = [channels];
        builder.Operation = place => new ChannelMeanOperation(channels, pixels, place);
        return (_, inputs, _) => inputs.mean([2, 3]);
    }
}

internal sealed unsafe class ChannelMeanOperation : Operation
{
    private readonly int _pixels;

    public ChannelMeanOperation(int channels, int pixels, OperationPlace place) : base(channels)
    {
        _pixels = pixels;
        Outputs = place.Memory.Take((long)place.Rows * channels);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        for (nint i = 0; i < (nint)pass.Rows * Width; i++) Outputs[i] = Sums.Of(inputs + i * _pixels, _pixels) / _pixels;
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (inputGradient == null) return;
        for (nint i = 0; i < (nint)pass.Rows * Width; i++) new Span<float>(inputGradient + i * _pixels, _pixels).Fill(gradient[i] / _pixels);
    }
}

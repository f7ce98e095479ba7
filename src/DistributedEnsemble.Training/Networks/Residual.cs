using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>
/// A basic block: relu(F(x) + x), F two 3×3 convolutions with batch norm. Where F halves the image or adds channels, x is
/// every second pixel, with channels of zeros after its own: option A of He et al. (2016), which has no weights.
/// </summary>
public sealed record Residual(int Channels, int Stride) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var added = Channels - builder.Shape[0];
        var residue = builder.Chain(
        [
            ResNet.Convolution(Channels, Stride), new BatchNorm(), new Relu(),
            ResNet.Convolution(Channels, stride: 1), new BatchNorm(),
        ]);
        return (weights, inputs, noise) => functional.relu(residue(weights, inputs, noise).add_(Shortcut(inputs)));

        Tensor Shortcut(Tensor inputs)
        {
            if (Stride > 1) inputs = inputs.slice(2, 0, inputs.shape[2], Stride).slice(3, 0, inputs.shape[3], Stride);
            return added > 0 ? functional.pad(inputs, [0, 0, 0, 0, 0, added]) : inputs;
        }
    }
}

using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

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

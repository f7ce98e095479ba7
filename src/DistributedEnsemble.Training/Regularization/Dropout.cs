using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// Drops each unit with probability <paramref name="Rate"/> (Srivastava et al., 2014). Inverted dropout divides by the keep
/// probability when it drops and leaves the expectation alone; vanilla dropout drops unscaled, and the expectation is
/// multiplied by the keep probability.
/// </summary>
public sealed record Dropout(double Rate, DropoutKind Kind) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var number = builder.Dropout();
        var keep = 1 - Rate;
        var (whenKept, expected) = Kind == DropoutKind.Inverted ? (1 / keep, 1.0) : (1.0, keep);
        Scalar? scale = expected == 1 ? null : (float)expected;
        return (_, units, noise) => noise.KeepMask(number, units, Rate, (float)whenKept) is { } mask ? Drop(units, mask)
            : scale is null ? units
            : units * scale;
    }

    private static Tensor Drop(Tensor units, Tensor mask)
    {
        var kept = units * mask;
        return kept.dim() > units.dim() ? kept.flatten(0, 1) : kept;
    }
}

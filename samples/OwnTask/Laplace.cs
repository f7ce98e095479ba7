using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Tasks;

/// <summary>
/// A number whose distance from the mean is Laplace-distributed: ½·ln 2v + |y − μ|·√(2/v), v the variance. A few wild targets
/// bend it less than they bend the normal distribution's loss.
/// </summary>
internal sealed record Laplace(double Mean, double Deviation, double Minimum, double Maximum) : Regression(Mean, Deviation, Minimum, Maximum)
{
    public override string Name => "laplace";

    public override double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient)
    {
        var loss = 0.0;
        for (var row = 0; row < targets.Length; row++)
        {
            var (distance, s) = ((double)outputs[2 * row] - targets[row], outputs[2 * row + 1]);
            double variance = Elementary.Softplus(s) + SmallestVariance, slope = Math.Sqrt(2 / variance);
            loss += 0.5 * Elementary.Log((float)(2 * variance)) + Math.Abs(distance) * slope;
            gradient[2 * row] = (float)(Math.Sign(distance) * slope / targets.Length);
            gradient[2 * row + 1] = (float)(0.5 * (1 - Math.Abs(distance) * slope) / variance / (1 + Elementary.Exp(-s)) / targets.Length);
        }

        return loss / targets.Length;
    }
}

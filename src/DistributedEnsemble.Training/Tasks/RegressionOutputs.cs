using System.Collections.Immutable;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>What rows of a regression are answered with, in the target's units.</summary>
internal static class RegressionOutputs
{
    public static IReadOnlyList<string> Names { get; } = ["mean", "standard_deviation", "aleatoric", "epistemic", "lower", "upper"];

    public static IReadOnlyList<OutputDescription> Predictions { get; } = [.. Names.Select(name => new OutputDescription(name, "FP32", []))];

    public static OutputDescription TruthColumn { get; } = new("truth", "FP32", []);

    /// <summary>How outputs become predictions, in words.</summary>
    public static string Exported(bool isGaussian) =>
        (isGaussian ? "outputs are m and s, v = softplus(s) + 1e-6; " : "outputs are m, v = fit.noiseVariance; ")
        + "M = mean of m, A = mean of v, E = mean of m^2 - M^2, over constituents as often as their weights say and, with monteCarloSamples "
        + "above 0, over that many dropout masks (else dropout as at test time); mean = task.mean + task.deviation * M; standard deviation = "
        + "task.deviation * sqrt(A + E), of which A is aleatoric and E epistemic";

    /// <param name="answers">[rows, width], of an average.</param>
    /// <param name="coverage">The share of rows that μ* ± z·σ* holds, if the mixture is a normal distribution.</param>
    public static IReadOnlyList<OutputValues> Of(Regression task, ReadOnlySpan<double> answers, bool isCalibrated, double coverage)
    {
        var (rows, z, factor) = (answers.Length / task.Width, Normal.Quantile((1 + coverage) / 2), task.Factor(isCalibrated) * task.Deviation);
        var values = Names.Select(_ => new float[rows]).ToArray();
        for (var row = 0; row < rows; row++)
        {
            var answer = answers.Slice(row * task.Width, task.Width);
            var (mean, deviation) = (task.Mean + task.Deviation * answer[0], factor * Math.Sqrt(task.TotalVariance(answer)));
            values[0][row] = (float)mean;
            values[1][row] = (float)deviation;
            values[2][row] = (float)(factor * Math.Sqrt(task.Aleatoric(answer)));
            values[3][row] = (float)(factor * Math.Sqrt(Regression.Spread(answer)));
            values[4][row] = (float)(mean - z * deviation);
            values[5][row] = (float)(mean + z * deviation);
        }

        return [.. Names.Zip(values, (name, numbers) => new OutputValues(name) { Numbers = [.. numbers] })];
    }

    /// <summary>Rounded to what a standardised float32 knows of them.</summary>
    public static OutputValues Truth(Regression task, ReadOnlySpan<float> targets)
    {
        var digits = (int)Math.Clamp(6 - Math.Floor(Math.Log10(task.Deviation)), 0, 15);
        var numbers = ImmutableArray.CreateBuilder<float>(targets.Length);
        foreach (var target in targets) numbers.Add((float)Math.Round(task.Mean + task.Deviation * target, digits));
        return new OutputValues(TruthColumn.Name) { Numbers = numbers.MoveToImmutable() };
    }
}

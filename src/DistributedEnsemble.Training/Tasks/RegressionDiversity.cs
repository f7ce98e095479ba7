using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>How different models are, pair by pair, from the mean that each gives each row.</summary>
internal sealed class RegressionDiversity(Regression task, int models, int rows) : IDiversity
{
    // One model has no other to differ from.
    private readonly float[][] _means = models < 2 ? [] : [.. Enumerable.Range(0, models).Select(_ => new float[rows])];
    private readonly float[] _targets = models < 2 ? [] : new float[rows];

    public void Add(int model, int start, ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        if (_means is []) return;
        targets.CopyTo(_targets.AsSpan(start));
        for (var row = 0; row < targets.Length; row++) _means[model][start + row] = (float)answers[row * task.Width];
    }

    /// <summary>
    /// The root of the mean squared difference of two models' means, in the target's units; and Pearson's correlation of their
    /// residuals over the rows, undefined where residuals do not vary.
    /// </summary>
    public Measures? Result()
    {
        var pairs = (from model in Enumerable.Range(0, models) from other in Enumerable.Range(0, model) select (model, other)).ToList();
        return pairs.Count == 0
            ? null
            : Measures.Of(
                ("difference", pairs.Average(pair => Difference(_means[pair.model], _means[pair.other]))),
                ("errorCorrelation", pairs.Average(pair => Correlation(_means[pair.model], _means[pair.other]))));
    }

    private double Difference(float[] one, float[] other) =>
        task.Deviation * Math.Sqrt(one.Zip(other, (a, b) => ((double)a - b) * ((double)a - b)).Average());

    private double? Correlation(float[] one, float[] other)
    {
        var (first, second) = (Residuals(one), Residuals(other));
        var product = first.Zip(second, (a, b) => a * b).Sum();
        var norm = Math.Sqrt(first.Sum(a => a * a) * second.Sum(b => b * b));
        return norm > 0 ? product / norm : null;
    }

    /// <summary>Less their mean.</summary>
    private double[] Residuals(float[] means)
    {
        double[] residuals = [.. means.Zip(_targets, (mean, target) => (double)mean - target)];
        var center = residuals.Average();
        return [.. residuals.Select(residual => residual - center)];
    }
}

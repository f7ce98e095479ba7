namespace DistributedEnsemble.Training.Tasks;

/// <summary>The mixtures that models make of rows, in standardised units, stretched about their means by a factor.</summary>
internal sealed class MixtureRows(Regression task, AnswerRows rows)
{
    private readonly double[] _weights = new double[rows.Models.Count], _means = new double[rows.Models.Count], _variances = new double[rows.Models.Count];

    /// <summary>One row's; valid until the next is asked for.</summary>
    public GaussianMixture At(int row, double factor)
    {
        var (center, count) = (rows.Mean[row * task.Width], 0);
        for (var i = 0; i < _means.Length; i++) count += rows.Has(i, row, task.Width) ? rows.Multiplicities[i] : 0;
        for (var i = 0; i < _means.Length; i++)
        {
            var answer = rows.Models[i].Span.Slice(row * task.Width, task.Width);
            _weights[i] = rows.Has(i, row, task.Width) ? (double)rows.Multiplicities[i] / count : 0;
            _means[i] = center + factor * (answer[0] - center);
            _variances[i] = factor * factor * task.TotalVariance(answer);
        }

        return new GaussianMixture(_weights, _means, _variances);
    }

    /// <summary>The mean over all rows.</summary>
    public double Nll(ReadOnlySpan<float> targets, double factor)
    {
        var sum = 0.0;
        for (var row = 0; row < targets.Length; row++) sum += At(row, factor).Nll(targets[row]);
        return sum / targets.Length;
    }
}

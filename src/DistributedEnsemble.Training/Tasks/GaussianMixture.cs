namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// One row's predictive density of an ensemble: Σ wᵢ·N(μᵢ, σᵢ²), w summing to 1 (Lakshminarayanan et al., 2017, section 2.4),
/// optionally stretched about its mean by a factor.
/// </summary>
internal readonly ref struct GaussianMixture
{
    private readonly ReadOnlySpan<double> _weights, _means, _variances;

    public GaussianMixture(ReadOnlySpan<double> weights, ReadOnlySpan<double> means, ReadOnlySpan<double> variances)
    {
        _weights = weights;
        _means = means;
        _variances = variances;
    }

    /// <summary>−ln p(y).</summary>
    public double Nll(double y)
    {
        var highest = double.NegativeInfinity;
        for (var i = 0; i < _means.Length; i++) if (_weights[i] > 0) highest = Math.Max(highest, LogDensity(i, y));
        var sum = 0.0;
        for (var i = 0; i < _means.Length; i++) if (_weights[i] > 0) sum += Math.Exp(LogDensity(i, y) - highest);
        return -highest - Math.Log(sum);
    }

    /// <summary>
    /// The continuous ranked probability score ∫ (F(x) − [x ≥ y])² dx, in closed form (Grimit et al., "The continuous ranked
    /// probability score for circular variables", 2006, eq. 5): Σ wᵢ·A(y − μᵢ, σᵢ²) − ½·Σ Σ wᵢ·wⱼ·A(μᵢ − μⱼ, σᵢ² + σⱼ²).
    /// </summary>
    public double Crps(double y)
    {
        var score = 0.0;
        for (var i = 0; i < _means.Length; i++)
        {
            if (_weights[i] == 0) continue;
            score += _weights[i] * MeanDistance(y - _means[i], _variances[i]);
            score -= 0.5 * _weights[i] * _weights[i] * MeanDistance(0, 2 * _variances[i]);
            for (var j = 0; j < i; j++)
            {
                if (_weights[j] == 0) continue;
                score -= _weights[i] * _weights[j] * MeanDistance(_means[i] - _means[j], _variances[i] + _variances[j]);
            }
        }

        return score;
    }

    private double LogDensity(int i, double y)
    {
        var distance = y - _means[i];
        return Math.Log(_weights[i]) - 0.5 * (Math.Log(2 * Math.PI * _variances[i]) + distance * distance / _variances[i]);
    }

    /// <summary>A(μ, σ²) = E|X| of X ~ N(μ, σ²) = 2σ·φ(μ/σ) + μ·(2Φ(μ/σ) − 1).</summary>
    private static double MeanDistance(double mean, double variance)
    {
        var deviation = Math.Sqrt(variance);
        var z = mean / deviation;
        return 2 * deviation * Normal.Density(z) + mean * (2 * Normal.Cumulative(z) - 1);
    }
}

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>A mean over seeds and its standard error.</summary>
/// <param name="StandardError">Of the mean: the sample's deviation by √n; null with one seed.</param>
public sealed record Estimate(double Mean, double? StandardError, int Seeds)
{
    public static Estimate Of(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        double? error = values.Count > 1
            ? Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1) / values.Count)
            : null;
        return new Estimate(mean, error, values.Count);
    }

    /// <summary>Half the width of the 95 % confidence interval, by Student's t; infinite with one seed.</summary>
    public double Margin => StandardError is { } error ? error * TwoSided95[Math.Min(Seeds - 2, TwoSided95.Length - 1)] : double.PositiveInfinity;

    /// <summary>The 97.5 % quantile of Student's t with 1, 2, … degrees of freedom; from the last on it hardly falls.</summary>
    private static readonly double[] TwoSided95 =
        [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086];
}

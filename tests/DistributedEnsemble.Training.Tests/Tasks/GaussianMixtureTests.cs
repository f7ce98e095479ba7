using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

/// <summary>The closed forms against sums over a fine grid, which know the density alone.</summary>
public sealed class GaussianMixtureTests
{
    private const double Low = -12, High = 12, Cell = 1e-3;

    private static readonly double[] s_weights = [0.5, 0.2, 0.3], s_means = [-1, 0.5, 2], s_variances = [0.25, 1, 0.04];

    [Theory]
    [InlineData(-1.2)]
    [InlineData(0.3)]
    [InlineData(5)]
    public void The_crps_is_the_integral_of_the_squared_distance_of_the_distributions(double y)
    {
        var (integral, cumulative) = (0.0, 0.0);
        for (var x = Low; x < High; x += Cell)
        {
            cumulative += Density(x + Cell / 2) * Cell;
            var step = x + Cell / 2 >= y ? 1 : 0;
            integral += Math.Pow(cumulative - Density(x + Cell / 2) * Cell / 2 - step, 2) * Cell;
        }

        Assert.Equal(integral, new GaussianMixture(s_weights, s_means, s_variances).Crps(y), 1e-3);
    }

    [Theory]
    [InlineData(-1.2)]
    [InlineData(0.3)]
    [InlineData(5)]
    public void The_nll_is_the_logarithm_of_the_density(double y) =>
        Assert.Equal(-Math.Log(Density(y)), new GaussianMixture(s_weights, s_means, s_variances).Nll(y), 1e-9);

    [Fact]
    public void Far_from_every_model_the_nll_is_still_a_number() =>
        Assert.Equal(0.5 * Math.Log(2 * Math.PI) + 0.5 * 1e10, new GaussianMixture([1], [0], [1]).Nll(1e5), 1);

    [Theory]
    [InlineData(1)]
    [InlineData(1.7)]
    public void Calibration_stretches_a_mixture_about_its_mean_and_each_model_counts_as_often_as_it_was_chosen(double factor)
    {
        var task = new Regression(0, 1, -5, 5);
        var models = s_means.Select((mean, i) => (ReadOnlyMemory<double>)new[] { mean, s_variances[i], mean * mean }).ToList();
        var mixture = new MixtureRows(task, AnswerRows.Of(models, [5, 2, 3])).At(0, factor);
        var center = s_means.Zip(s_weights, (mean, weight) => mean * weight).Sum();

        // Its density at y is that of the unstretched one at the place that the stretching brings there.
        foreach (var y in new[] { -2, 0.1, 3 })
            Assert.Equal(-Math.Log(Density(center + ((y - center) / factor)) / factor), mixture.Nll(y), 1e-9);
    }

    [Fact]
    public void Mean_and_variance_of_an_ensemble_are_the_moments_of_its_density()
    {
        var task = new Regression(100, 10, 0, 200);
        var models = s_means.Select((mean, i) => (ReadOnlyMemory<double>)new[] { mean, s_variances[i], mean * mean }).ToList();
        var rows = AnswerRows.Of(models, [5, 2, 3]);
        var (mean, square) = (0.0, 0.0);
        for (var x = Low; x < High; x += Cell)
        {
            mean += x * Density(x) * Cell;
            square += x * x * Density(x) * Cell;
        }

        var outputs = task.Predict(rows.Mean).ToDictionary(output => output.Name, output => (double)output.Numbers[0]);

        Assert.Equal(100 + 10 * mean, outputs["mean"], 1e-4);
        Assert.Equal(10 * Math.Sqrt(square - mean * mean), outputs["standard_deviation"], 1e-3);
        Assert.Equal(Math.Pow(outputs["standard_deviation"], 2), Math.Pow(outputs["aleatoric"], 2) + Math.Pow(outputs["epistemic"], 2), 1e-3);
        Assert.Equal(10 * Math.Sqrt(0.5 * 0.25 + 0.2 * 1 + 0.3 * 0.04), outputs["aleatoric"], 1e-4);
    }

    [Fact]
    public void Models_that_agree_have_no_epistemic_part_however_far_from_zero_they_are()
    {
        var task = new Regression(0, 1, 0, 1);
        double[] answer = [1e4 + 0.1, 1e-6, (1e4 + 0.1) * (1e4 + 0.1)];
        var rows = AnswerRows.Of([answer, answer, answer], [1, 1, 1]);

        Assert.Equal(0, task.Predict(rows.Mean)[3].Numbers[0], 1e-3);
    }

    /// <summary>Known to more digits than a double has.</summary>
    [Theory]
    [InlineData(-6, 9.865876450376981e-10)]
    [InlineData(-2, 0.022750131948179207)]
    [InlineData(-0.5, 0.3085375387259869)]
    [InlineData(0, 0.5)]
    [InlineData(0.3, 0.6179114221889526)]
    [InlineData(1, 0.8413447460685429)]
    [InlineData(3, 0.9986501019683699)]
    public void The_normal_distribution_is_that_of_the_tables(double x, double probability)
    {
        Assert.Equal(probability, Normal.Cumulative(x), 1e-15 + 1e-14 * probability);
        if (x > -6) Assert.Equal(x, Normal.Quantile(probability), 1e-9);
    }

    private static double Density(double x) => s_weights.Zip(s_means.Zip(s_variances)).Sum(part =>
        part.First * Math.Exp(-Math.Pow(x - part.Second.First, 2) / (2 * part.Second.Second)) / Math.Sqrt(2 * Math.PI * part.Second.Second));
}

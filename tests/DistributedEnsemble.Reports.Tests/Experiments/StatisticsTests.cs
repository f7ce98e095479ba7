using DistributedEnsemble.Reports.Experiments;

namespace DistributedEnsemble.Reports.Tests.Experiments;

public sealed class StatisticsTests
{
    [Fact]
    public void The_standard_error_is_the_samples_deviation_by_the_root_of_its_size()
    {
        var estimate = Estimate.Of([1, 2, 3, 6]);

        Assert.Equal(3, estimate.Mean);
        Assert.Equal(Math.Sqrt(14.0 / 3 / 4), estimate.StandardError!.Value, 1e-12);
        Assert.Equal(3.182 * estimate.StandardError.Value, estimate.Margin, 1e-12);
    }

    [Fact]
    public void One_seed_has_no_error_and_decides_nothing()
    {
        Assert.Null(Estimate.Of([0.5]).StandardError);
        Assert.Equal(Verdict.Unclear, VerdictOf(null, -0.5));
    }

    [Theory]
    [InlineData(null, Verdict.Held, -0.010, -0.011, -0.012)]
    [InlineData(null, Verdict.Failed, 0.010, 0.011, 0.012)]
    [InlineData(null, Verdict.Unclear, -0.010, 0.011, -0.012)]
    [InlineData(0.02, Verdict.Held, -0.019, -0.020, -0.021)]
    [InlineData(0.02, Verdict.Held, -0.016, -0.0161, -0.0162)]
    [InlineData(0.02, Verdict.Less, -0.010, -0.0101, -0.0102)]
    [InlineData(0.02, Verdict.Unclear, -0.040, 0.010, -0.030)]
    public void A_claim_is_judged_by_the_interval_of_the_error_and_by_the_size_that_it_names(
        double? claimed, Verdict verdict, double first, double second, double third) =>
        Assert.Equal(verdict, VerdictOf(claimed, first, second, third));

    private static Verdict VerdictOf(double? claimed, params double[] differences) => new Finding(
        new Comparison("", "", "", "", claimed), Estimate.Of(differences), Estimate.Of(differences), Estimate.Of(differences)).Verdict;
}

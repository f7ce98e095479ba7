using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

public sealed class RobustScaleTests
{
    private static readonly double[] s_numbers = [.. Enumerable.Range(0, 101).Select(i => 32 + (4 * Normal.Quantile((i + 0.5) / 101)))];

    [Fact]
    public void The_scale_is_a_power_of_two_near_the_deviation_and_the_centre_near_the_median() => Assert.Equal((32.0, 4.0), RobustScale.Of(s_numbers)!.Value);

    [Theory]
    [InlineData(1e6)]
    [InlineData(-1e300)]
    public void A_number_that_runs_away_moves_nothing(double value)
    {
        for (var i = 0; i < s_numbers.Length; i++) Assert.Equal((32.0, 4.0), RobustScale.Of([.. s_numbers[..i], value, .. s_numbers[(i + 1)..]])!.Value);
    }

    [Fact]
    public void Of_many_equal_numbers_the_others_say_the_scale()
    {
        double[] mostlyNone = [.. Enumerable.Repeat(0.0, 80), .. Enumerable.Range(1, 20).Select(i => (double)i)];

        var (centre, scale) = RobustScale.Of(mostlyNone)!.Value;

        Assert.Equal(0, centre);
        Assert.InRange(scale, 2, 8);
    }

    [Fact]
    public void Of_one_number_in_all_rows_but_one_there_is_no_scale() => Assert.Null(RobustScale.Of([.. Enumerable.Repeat(5.0, 200), 7]));
}

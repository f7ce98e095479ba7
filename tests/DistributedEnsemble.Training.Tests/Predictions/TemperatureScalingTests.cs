using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class TemperatureScalingTests
{
    private const int Classes = 5;

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(2.5)]
    public void The_temperature_that_sharpened_the_probabilities_is_found(double temperature)
    {
        var (probabilities, labels) = Sharpened(temperature, rows: 20_000);

        Assert.Equal(temperature, TemperatureScaling.Fit(probabilities, labels), 0.05 * temperature);
    }

    [Fact]
    public void No_temperature_near_or_far_has_a_smaller_likelihood()
    {
        var (probabilities, labels) = Sharpened(3, rows: 500);

        var fitted = TemperatureScaling.Fit(probabilities, labels);

        foreach (var factor in new[] { 0.1, 0.5, 0.9, 0.999, 1.001, 1.1, 2, 5 })
        {
            Assert.True(Nll(fitted) <= Nll(Math.Clamp(fitted * factor, TemperatureScaling.Lowest, TemperatureScaling.Highest)) + 1e-9);
        }

        double Nll(double temperature) =>
            ClassificationQuality.Of(TestTasks.Classes(Classes), TestTasks.Answers(Classes, TemperatureScaling.Apply(probabilities, Classes, temperature)), labels).Nll;
    }

    /// <summary>Four of five rows are right where each says so with 0.8.</summary>
    [Fact]
    public void Calibrated_probabilities_keep_their_temperature_to_the_last_digits() => Assert.Equal(
        1, TemperatureScaling.Fit([.8, .2, .8, .2, .8, .2, .8, .2, .8, .2], [0, 0, 0, 0, 1]), 1e-12);

    [Fact]
    public void A_probability_of_zero_counts_as_the_smallest_there_is()
    {
        float[] labels = [0, 0, 1, 0];
        double[] With(double smallest) => [1 - smallest, smallest, .7, .3, .6, .4, .2, .8];

        var fitted = TemperatureScaling.Fit(With(0), labels);

        Assert.Equal(TemperatureScaling.Fit(With(float.Epsilon), labels), fitted);
        Assert.InRange(fitted, TemperatureScaling.Lowest * 1.01, TemperatureScaling.Highest * 0.99);
    }

    [Fact]
    public void Rows_still_sum_to_one_and_name_the_same_class()
    {
        var (probabilities, _) = Sharpened(2, rows: 200);

        foreach (var temperature in new[] { 0.05, 0.7, 20 })
        {
            var scaled = TemperatureScaling.Apply(probabilities, Classes, temperature);
            for (var start = 0; start < scaled.Length; start += Classes)
            {
                Assert.Equal(1, scaled.AsSpan(start, Classes).ToArray().Sum(), 1e-5);
                Assert.Equal(IndexOfMax(probabilities, start), IndexOfMax(scaled, start));
            }
        }
    }

    [Fact]
    public void Answers_without_error_are_sharpened_no_further_than_the_bound() =>
        Assert.Equal(TemperatureScaling.Lowest, TemperatureScaling.Fit([0.9, 0.1, 0.2, 0.8], [0, 1]), 1e-6);

    [Fact]
    public void Probabilities_of_zero_are_no_infinity()
    {
        double[] probabilities = [1, 0, 0, 1, 1, 0];

        var temperature = TemperatureScaling.Fit(probabilities, [0, 1, 1]);

        Assert.All(TemperatureScaling.Apply(probabilities, 2, temperature), p => Assert.True(double.IsFinite(p)));
    }

    /// <summary>Labels are drawn from softmax(z), and the model says softmax(z·T).</summary>
    private static (double[] Probabilities, float[] Labels) Sharpened(double temperature, int rows)
    {
        var random = new RandomSource(1);
        var (z, coin) = (new float[rows * Classes], new float[rows]);
        random.Uniform(new Draw(Purpose.MonteCarlo, 0, 0, 0), z);
        random.Uniform(new Draw(Purpose.MonteCarlo, 0, 0, 1), coin);
        var truth = TemperatureScaling.Apply([.. z.Select(value => Math.Exp(4 * value - 4))], Classes, 1);
        var labels = coin.Select((c, row) =>
        {
            var label = 0;
            for (var sum = truth[row * Classes]; sum < c && label < Classes - 1; sum += truth[(row * Classes) + label]) label++;
            return (float)label;
        });
        return (TemperatureScaling.Apply(truth, Classes, 1 / temperature), [.. labels]);
    }

    private static int IndexOfMax(double[] values, int start) =>
        System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(values.AsSpan(start, Classes));
}

using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class EnsembleTests
{
    private const int Rows = 67, Width = 5;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(10)]
    public void An_ensemble_answers_with_the_mean_of_its_constituents(int constituents)
    {
        var given = Constituents(constituents);

        var mean = Answer(new Ensemble(given));

        for (var i = 0; i < mean.Length; i++) Assert.Equal(given.Average(constituent => constituent.Values[i]), mean[i], 1e-14);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(10)]
    public void The_running_mean_equals_the_ensemble_bit_by_bit(int constituents)
    {
        var given = Constituents(constituents);
        var running = new AnswerMean();
        foreach (var constituent in given) running.Add(constituent.Values);

        Assert.Equal(Answer(new Ensemble(given)), running.ToArray());
        Assert.Equal(constituents, running.Count);
    }

    [Fact]
    public void A_constituent_that_counts_twice_counts_as_two()
    {
        var given = Constituents(2);

        Assert.Equal(Answer(new Ensemble([given[0], given[1], given[1]])), Answer(new Ensemble(given, [1, 2])), (a, b) => Math.Abs(a - b) < 1e-15);
    }

    [Fact]
    public void The_sum_goes_in_the_order_of_the_constituents()
    {
        double[] values = [1, 1.1e-16, 1.1e-16];
        IPredictor[] given = [.. values.Select(value => new Given([value], 1))];

        // 1 + 1.1e-16 rounds to 1, so the small ones count only if they are added first.
        Assert.Equal(1.0 / 3, Answer(new Ensemble(given), 1)[0]);
        Assert.NotEqual(1.0 / 3, Answer(new Ensemble([.. given.Reverse()]), 1)[0]);
    }

    private static double[] Answer(Ensemble predictor, int rows = Rows)
    {
        var answers = new double[rows * predictor.Width];
        predictor.Answer(new float[rows], answers);
        return answers;
    }

    private static Given[] Constituents(int count) => [.. Enumerable.Range(0, count).Select(member =>
    {
        var values = new float[Rows * Width];
        new RandomSource(6).Uniform(new Draw(Purpose.Dropout, member, 0, 0), values);
        return new Given([.. values.Select(value => (double)value)], Width);
    })];

    private sealed class Given(double[] values, int width) : IPredictor
    {
        public double[] Values => values;

        public int Width => width;

        public void Answer(ReadOnlySpan<float> inputs, Span<double> answers) => values.CopyTo(answers);
    }
}

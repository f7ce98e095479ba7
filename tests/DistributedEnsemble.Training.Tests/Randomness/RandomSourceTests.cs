using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Randomness;

public sealed class RandomSourceTests
{
    private const ulong Seed = 0x123456789ABCDEF0;

    /// <summary>Every run's identity: a change here changes the weights of every run that was ever recorded.</summary>
    [Theory]
    [InlineData(Purpose.Initialization, 0)]
    [InlineData(Purpose.BatchOrder, 1)]
    [InlineData(Purpose.Dropout, 2)]
    [InlineData(Purpose.MonteCarlo, 3)]
    [InlineData(Purpose.DataSplit, 4)]
    [InlineData(Purpose.Search, 5)]
    [InlineData(Purpose.Folds, 6)]
    [InlineData(Purpose.Bootstrap, 7)]
    [InlineData(Purpose.Columns, 8)]
    public void The_counter_is_block_step_layer_and_member_with_purpose(Purpose purpose, uint number)
    {
        var words = new uint[9];
        new RandomSource(Seed).Words(new Draw(purpose, Member: 300, Step: 70_000, Layer: 5), words);

        var expected = Enumerable.Range(0, 3).SelectMany(block =>
        {
            var (w0, w1, w2, w3) = Philox.Block(Seed, (uint)block, 70_000, 5, (300 * 256) + number);
            return new[] { w0, w1, w2, w3 };
        });
        Assert.Equal(expected.Take(9), words);
    }

    [Fact]
    public void Uniform_numbers_are_24_bits_below_one_and_uniform()
    {
        var values = new float[100_000];
        new RandomSource(Seed).Uniform(new Draw(Purpose.Initialization, 0, 0, 0), values);

        Assert.All(values, value => Assert.True(value is >= 0 and < 1 && value * (1 << 24) % 1 == 0));
        Assert.Equal(0.5, values.Average(), 0.005);
        Assert.Equal(1 / 12.0, values.Average(value => Math.Pow(value - 0.5, 2)), 0.002);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void A_mask_drops_where_the_word_is_below_the_rate_and_keeps_elsewhere(double rate)
    {
        const int Length = 100_003;
        var (draw, source) = (new Draw(Purpose.Dropout, 1, 2, 3), new RandomSource(Seed));
        var (words, mask) = (new uint[Length], new float[Length]);
        source.Words(draw, words);

        source.KeepMask(draw, rate, 1.25f, mask);

        Assert.Equal(words.Select(word => word / 4294967296.0 >= rate ? 1.25f : 0), mask);
        Assert.Equal(rate, mask.Count(value => value == 0) / (double)Length, 0.006);
    }

    [Fact]
    public void Every_order_of_four_items_is_equally_likely()
    {
        var source = new RandomSource(Seed);
        var counts = new Dictionary<string, int>();
        const int Shuffles = 24_000;
        for (uint step = 0; step < Shuffles; step++)
        {
            int[] items = [0, 1, 2, 3];
            source.Shuffle(new Draw(Purpose.BatchOrder, 0, step, 0), items);
            var order = string.Concat(items);
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(24, counts.Count);
        // 23 degrees of freedom: chi-square exceeds 49.7 with probability 0.001.
        Assert.True(counts.Values.Sum(count => Math.Pow(count - 1000, 2) / 1000) < 49.7);
    }

    [Fact]
    public void No_counter_serves_twice_in_a_run()
    {
        var draws = new List<(Draw Draw, int Words)>();
        var plan = Plans.Of(
            MixedSpecs.Class, new RandomSource(7) { Observer = (draw, words) => draws.Add((draw, words)) },
            ("data.folds", "3"), ("data.bootstrap", "true"), ("data.columns", "0.5"), ("data.validationFraction", "0.1"));
        var snapshots = EnsembleTraining.Run(plan, cancellation: TestContext.Current.CancellationToken);
        foreach (var snapshot in snapshots)
        {
            Predictors.Create(plan, snapshot.Weights, snapshot.Member, monteCarloSamples: 4).Answer(plan.Dataset.Test.InputsOf(0, 5), new double[5 * plan.Task.Width]);
            snapshot.Weights.Dispose();
        }

        // A search is drawn before there is a run, and the rows that a student's teacher mixes before the student trains.
        Assert.Equal(Enum.GetValues<Purpose>().Except([Purpose.Search, Purpose.Mixing]).ToHashSet(), [.. draws.Select(draw => draw.Draw.Purpose)]);
        Assert.All(draws, draw => Assert.True(draw.Words > 0));
        // Where the same is asked for again, it is drawn again.
        draws = [.. draws.DistinctBy(draw => (draw.Draw, draw.Words))];
        Assert.Equal(draws.Count, draws.Select(draw => (draw.Draw.Step, draw.Draw.Layer, draw.Draw.MemberAndPurpose)).Distinct().Count());

        // Of each member: one initialization per layer, one order per epoch, three masks per step and per sample, its rows and features.
        var byPurpose = draws.Where(draw => draw.Draw.Member == 2).CountBy(draw => draw.Draw.Purpose).ToDictionary();
        Assert.Equal(3 + plan.Of(2).Network.Layers.OfType<Embedding>().Count(), byPurpose[Purpose.Initialization]);
        Assert.Equal(5, byPurpose[Purpose.BatchOrder]);
        Assert.Equal(3 * plan.Of(2).Steps, byPurpose[Purpose.Dropout]);
        Assert.Equal(3 * 4, byPurpose[Purpose.MonteCarlo]);
        Assert.Equal(1, byPurpose[Purpose.Bootstrap]);
        Assert.Equal(1, byPurpose[Purpose.Columns]);
        Assert.Equal(plan.Task.Strata, draws.Count(draw => draw.Draw.Purpose == Purpose.DataSplit));
        Assert.Equal(plan.Task.Strata, draws.Count(draw => draw.Draw.Purpose == Purpose.Folds));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8_192)]
    [InlineData(20_001)]
    public void A_long_shuffle_is_the_one_of_all_its_draws(int count)
    {
        var (random, draw) = (new RandomSource(5), new Draw(Purpose.BatchOrder, 2, 3, 0));
        var words = new uint[2 * count];
        random.Words(draw, words);
        int[] expected = [.. Enumerable.Range(0, count)], items = [.. expected];
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)Math.BigMul(words[2 * i] | ((ulong)words[(2 * i) + 1] << 32), (ulong)i + 1, out _);
            (expected[i], expected[j]) = (expected[j], expected[i]);
        }

        random.Shuffle(draw, items);

        Assert.Equal(expected, items);
    }
}

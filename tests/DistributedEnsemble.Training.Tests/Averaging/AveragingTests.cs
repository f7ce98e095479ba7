using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Tests.Averaging;

public sealed class AveragingTests
{
    /// <summary>θ̄ after weights at steps 1…T, straight from the definition: a weighted mean with weights d^(age), in steps.</summary>
    private static double Definition(double decay, IReadOnlyList<(int Step, double Value)> handOvers)
    {
        // A hand-over stands for the steps since the one before: ∑ of d^(T−t) over them.
        var (last, sum, total, before) = (handOvers[^1].Step, 0.0, 0.0, 0);
        foreach (var (step, value) in handOvers)
        {
            var weight = Enumerable.Range(before + 1, step - before).Sum(t => Math.Pow(decay, last - t));
            (sum, total, before) = (sum + weight * value, total + weight, step);
        }

        return sum / total;
    }

    private static double Fold(AveragingSchedule schedule, IEnumerable<(int Step, double Value)> handOvers)
    {
        Span<float> average = [123];
        foreach (var (step, value) in handOvers) ExponentialMovingAverage.Fold(average, [(float)value], schedule.ShareAt(step));
        return average[0];
    }

    [Fact]
    public void A_member_whose_last_step_is_its_only_hand_over_is_averaged_and_one_without_any_is_refused()
    {
        EnsembleSpec Spec(int everySteps) => new() { Averaging = new AveragingSpec { EverySteps = everySteps } };

        Assert.Equal(1, AveragingSchedule.Of(Spec(10), 10)!.ShareAt(10));
        Assert.Equal(
            "averaging.everySteps is 11: a member has only 10 steps. Hand over more often or train longer.",
            Assert.Throws<SpecException>(() => AveragingSchedule.Of(Spec(11), 10)).Message);
    }

    [Fact]
    public void A_share_of_one_takes_the_weights_whatever_the_average_was()
    {
        float[] average = [float.NaN, float.PositiveInfinity, 3];
        ExponentialMovingAverage.Fold(average, [1, 2, 0.1f], 1);
        Assert.Equal([1, 2, 0.1f], average);
    }

    [Theory]
    [InlineData(0.9, 1, 50)]
    [InlineData(0.999, 1, 400)]
    [InlineData(0.97, 7, 100)]
    [InlineData(0.5, 100, 103)]
    [InlineData(1, 1, 60)]
    [InlineData(1, 9, 100)]
    public void The_recursion_is_the_weighted_mean_of_its_definition(double decay, int everySteps, int steps)
    {
        var schedule = new AveragingSchedule(new AveragingSpec { Decay = decay, EverySteps = everySteps }, steps, cycles: 1);
        var handOvers = Enumerable.Range(1, steps).Where(schedule.Includes).Select(step => (step, Value: Math.Sin(step))).ToList();

        Assert.Equal(steps, handOvers[^1].step);
        Assert.Equal(Definition(decay, handOvers), Fold(schedule, handOvers), 1e-6);
    }

    [Fact]
    public void With_a_hand_over_at_every_step_it_is_the_bias_corrected_average_of_Adam()
    {
        const double Decay = 0.95;
        var schedule = new AveragingSchedule(new AveragingSpec { Decay = Decay, EverySteps = 1 }, 80, cycles: 1);
        var moment = 0.0;
        for (var step = 1; step <= 80; step++) moment = Decay * moment + (1 - Decay) * Math.Cos(step);

        var average = Fold(schedule, Enumerable.Range(1, 80).Select(step => (step, Math.Cos(step))));

        Assert.Equal(moment / (1 - Math.Pow(Decay, 80)), average, 1e-6);
    }

    [Theory]
    [InlineData(1e-6)]
    [InlineData(1e-9)]
    [InlineData(1.2e-16)]
    public void As_the_decay_goes_to_1_it_becomes_the_uniform_average(double rest)
    {
        var near = new AveragingSchedule(new AveragingSpec { Decay = 1 - rest, EverySteps = 3 }, 90, cycles: 1);
        var uniform = new AveragingSchedule(new AveragingSpec { Decay = 1, EverySteps = 3 }, 90, cycles: 1);

        foreach (var step in Enumerable.Range(1, 30).Select(i => 3 * i))
        {
            Assert.Equal(3.0 / step, uniform.ShareAt(step), 1e-15);
            Assert.Equal(uniform.ShareAt(step), near.ShareAt(step), Math.Max(1e-12, 90 * rest));
        }
    }

    /// <summary>In decimal, where 1 − d^n loses nothing; d is such that decimal and double have the same one.</summary>
    [Fact]
    public void Near_1_the_share_has_all_its_digits()
    {
        const decimal Rest = 1m / (1 << 24);
        var schedule = new AveragingSchedule(new AveragingSpec { Decay = (double)(1 - Rest), EverySteps = 3 }, 90, cycles: 1);

        foreach (var step in Enumerable.Range(1, 30).Select(i => 3 * i))
            Assert.Equal(1, schedule.ShareAt(step) / (double)(OneMinusPower(3) / OneMinusPower(step)), 1e-12);

        static decimal OneMinusPower(int n) => 1 - Enumerable.Repeat(1 - Rest, n).Aggregate(1m, (product, d) => product * d);
    }

    [Fact]
    public void A_fold_is_computed_in_double_and_rounded_once()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            var (before, weight, share) = (random.NextSingle(), random.NextSingle(), random.NextDouble());
            Span<float> average = [before];

            ExponentialMovingAverage.Fold(average, [weight], share);

            Assert.Equal((float)((1 - (decimal)share) * (decimal)(double)before + (decimal)share * (decimal)(double)weight), average[0]);
        }
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(1)]
    public void A_reset_begins_the_average_anew_after_each_cycle(double decay)
    {
        // Cycles end at 34, 67 and 100.
        var schedule = new AveragingSchedule(new AveragingSpec { Decay = decay, EverySteps = 10, Reset = AveragingReset.Cycle }, 100, cycles: 3);
        var handOvers = Enumerable.Range(1, 100).Where(schedule.Includes).Select(step => (Step: step, Value: (double)(step * step))).ToList();

        Assert.Equal(1, schedule.ShareAt(10));
        Assert.Equal(1, schedule.ShareAt(40));
        Assert.Equal(1, schedule.ShareAt(70));
        Assert.NotEqual(1, schedule.ShareAt(30));
        var lastCycle = handOvers.Where(h => h.Step > 67).Select(h => (h.Step - 67, h.Value)).ToList();
        Assert.Equal(Definition(decay, lastCycle) / 1e4, Fold(schedule, handOvers) / 1e4, 1e-6);
    }

    [Fact]
    public void Statistics_are_averaged_as_parameters_are()
    {
        var plan = Plans.Of(
            Plans.Small.Replace("\"model\": { \"kind\": \"mlp\", \"hidden\": [19, 13] },", ""), ("model.kind", "resnet"), ("model.depth", "8"), ("model.width", "4"), ("training.epochs", "1"),
            ("averaging.everySteps", "1"), ("averaging.decay", "1"));
        using var training = new MemberTraining(plan, 0);
        using var first = Advance();
        using var average = new Weights(plan.Of(0).Network.Layout);
        training.FoldInto(average, plan.Of(0).Averaging!.ShareAt(1));
        using var second = Advance();
        training.FoldInto(average, plan.Of(0).Averaging!.ShareAt(2));

        Assert.True(plan.Of(0).Network.Layout.StatisticCount > 0);
        AssertMean(first.Statistics, second.Statistics, average.Statistics);
        AssertMean(first.Parameters, second.Parameters, average.Parameters);

        Weights Advance()
        {
            training.Advance();
            return training.CopyWeights();
        }

        static void AssertMean(NativeVector a, NativeVector b, NativeVector mean)
        {
            for (var i = 0; i < mean.Length; i++)
                Assert.Equal((a.Span[i] + (double)b.Span[i]) / 2, mean.Span[i], 1e-5);
        }
    }

    [Fact]
    public void Hand_overs_beyond_the_last_step_are_refused() => Assert.Equal(
        "averaging.everySteps is 100000: a member has only 39 steps. Hand over more often or train longer.",
        Assert.Throws<SpecException>(() => Plans.Of(Plans.Small, ("training.epochs", "3"), ("averaging.everySteps", "100000"))).Message);

    [Fact]
    public void A_reset_without_cycles_is_refused() => Assert.Equal(
        "averaging.reset is cycle: the average starts anew with each cycle, and training.schedule.kind is cosine, which has none "
        + "(choose cyclic-cosine, or reset never).",
        Assert.Throws<SpecException>(
            () => Plans.Of(Plans.Small, ("training.schedule.kind", "cosine"), ("averaging.reset", "cycle"))).Message);
}

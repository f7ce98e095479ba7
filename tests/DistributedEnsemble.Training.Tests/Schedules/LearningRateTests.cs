using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Schedules;

namespace DistributedEnsemble.Training.Tests.Schedules;

public sealed class LearningRateTests
{
    private const double Start = 0.2;

    [Fact]
    public void Constant_stays() => Assert.All(Rates(new ScheduleSpec { Kind = ScheduleKind.Constant }, 40), rate => Assert.Equal(Start, rate));

    [Fact]
    public void Step_multiplies_after_the_milestones_epochs()
    {
        var rates = Rates(new ScheduleSpec { Kind = ScheduleKind.Step, Milestones = [2, 3], Factor = 0.1 }, steps: 40, stepsPerEpoch: 10);

        Assert.All(rates[..20], rate => Assert.Equal(0.2, rate));
        Assert.All(rates[20..30], rate => Assert.Equal(0.02, rate, 1e-15));
        Assert.All(rates[30..], rate => Assert.Equal(0.002, rate, 1e-15));
    }

    [Fact]
    public void Cosine_is_one_cycle()
    {
        var rates = Rates(new ScheduleSpec { Kind = ScheduleKind.Cosine }, 100);

        Assert.Equal(Start, rates[0]);
        Assert.Equal(Start / 2, rates[50], 1e-15);
        Assert.Equal(Start / 2 * (1 + Math.Cos(0.99 * Math.PI)), rates[99], 1e-15);
        Assert.Equal(rates.OrderDescending(), rates);
    }

    /// <summary>α(t) = α₀/2·(cos(π·mod(t−1, ⌈T/M⌉)/⌈T/M⌉) + 1), equation (2) of Huang et al., 2017.</summary>
    [Theory]
    [InlineData(60, 1)]
    [InlineData(60, 3)]
    [InlineData(60, 5)]
    [InlineData(60, 60)]
    public void Cyclic_cosine_is_equation_2_where_the_cycles_divide_the_steps(int steps, int cycles)
    {
        var rates = Rates(new ScheduleSpec { Kind = ScheduleKind.CyclicCosine, Cycles = cycles }, steps);

        var length = steps / cycles;
        for (var t = 1; t <= steps; t++)
        {
            Assert.Equal(Start / 2 * (Math.Cos(Math.PI * ((t - 1) % length) / length) + 1), rates[t - 1], 1e-15);
        }
    }

    [Theory]
    [InlineData(61, 3)]
    [InlineData(100, 7)]
    [InlineData(13, 5)]
    [InlineData(9, 8)]
    [InlineData(39_123, 300)]
    public void Every_cycle_starts_at_the_full_rate_and_falls_to_its_snapshot(int steps, int cycles)
    {
        var rates = Rates(new ScheduleSpec { Kind = ScheduleKind.CyclicCosine, Cycles = cycles }, steps);

        var end = 0;
        for (var cycle = 1; cycle <= cycles; cycle++)
        {
            var (first, last) = (end, (int)Math.Ceiling((decimal)cycle * steps / cycles));
            Assert.Equal(last, EqualParts.End(cycle, steps, cycles));
            Assert.Equal(Start, rates[first]);
            for (var t = first + 1; t < last; t++) Assert.True(rates[t] < rates[t - 1] && rates[t] > 0);
            Assert.Equal(Start / 2 * (Math.Cos(Math.PI * (last - 1 - first) / (last - first)) + 1), rates[last - 1], 1e-15);
            end = last;
        }

        Assert.Equal(steps, end);
    }

    /// <summary>Products of step and cycle beyond 32 bits.</summary>
    [Fact]
    public void Parts_of_very_long_runs_are_counted_right()
    {
        var rate = new CyclicCosine(Start, steps: 1_000_000_000, cycles: 10_000);

        Assert.Equal(Start, rate.At(999_900_001));
        Assert.InRange(rate.At(1_000_000_000), 0, 1e-9);
    }

    private static double[] Rates(ScheduleSpec schedule, int steps, int stepsPerEpoch = 10)
    {
        var spec = new EnsembleSpec { Training = new TrainingSpec { Schedule = schedule with { LearningRate = Start } } };
        var rate = LearningRate.Create(spec, steps, stepsPerEpoch);
        return [.. Enumerable.Range(1, steps).Select(rate.At)];
    }
}

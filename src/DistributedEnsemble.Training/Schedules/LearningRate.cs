using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Schedules;

/// <summary>The learning rate α as a pure function of the step.</summary>
public abstract class LearningRate
{
    /// <summary>α(t) of the t-th update, t = 1…T.</summary>
    public abstract double At(int step);

    /// <param name="steps">T.</param>
    /// <exception cref="SpecException">There are more cycles than steps.</exception>
    public static LearningRate Create(EnsembleSpec spec, int steps, int stepsPerEpoch)
    {
        var schedule = spec.Training.Schedule;
        return schedule.Kind switch
        {
            ScheduleKind.Constant => new Constant(schedule.LearningRate),
            ScheduleKind.Step => new StepDecay(
                schedule.LearningRate, schedule.Factor, [.. (schedule.Milestones ?? []).Select(epoch => (long)epoch * stepsPerEpoch)]),
            ScheduleKind.Cosine => new CyclicCosine(schedule.LearningRate, steps, cycles: 1),
            ScheduleKind.CyclicCosine => new CyclicCosine(schedule.LearningRate, steps, Cycles(schedule, steps)),
        };
    }

    private static int Cycles(ScheduleSpec schedule, int steps) => schedule.Cycles is { } cycles && cycles > steps
        ? throw new SpecException(
            $"training.schedule.cycles is {cycles}: a member has only {steps} {Plural.Of(steps, "step")}. Take fewer cycles or train longer.")
        : schedule.Cycles ?? 1;
}

/// <summary>α(t) = α₀.</summary>
public sealed class Constant(double rate) : LearningRate
{
    public override double At(int step) => rate;
}

/// <summary>α₀ times the factor for each milestone that is past: α(t) = α₀·γ^|{m : m &lt; t}|, milestones in steps.</summary>
public sealed class StepDecay(double rate, double factor, IReadOnlyList<long> milestones) : LearningRate
{
    public override double At(int step) => rate * Exactly.Power(factor, milestones.Count(milestone => milestone < step));
}

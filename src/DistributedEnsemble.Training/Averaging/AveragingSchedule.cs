using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Schedules;

namespace DistributedEnsemble.Training.Averaging;

/// <summary>
/// When a member hands its weights over to be averaged, and how much each hand-over counts: a pure function of the step, so
/// that the average needs no state besides its last step.
/// </summary>
/// <param name="steps">T, of one member.</param>
/// <param name="cycles">Cycles of the learning rate's schedule; 1 without cycles.</param>
internal sealed class AveragingSchedule(AveragingSpec spec, int steps, int cycles)
{
    /// <returns>Null if the spec averages nothing.</returns>
    /// <exception cref="SpecException">A member would hand over its last weights alone.</exception>
    public static AveragingSchedule? Of(EnsembleSpec spec, int steps)
    {
        if (spec.Averaging is not { } averaging) return null;
        return averaging.EverySteps <= steps
            ? new AveragingSchedule(averaging, steps, spec.Training.Schedule.Cycles ?? 1)
            : throw new SpecException(
                $"averaging.everySteps is {averaging.EverySteps}: a member has only {steps} {Plural.Of(steps, "step")}. Hand over more often or train longer.");
    }

    /// <summary>Whether weights are handed over at a step: at n, 2n, … and T.</summary>
    public bool Includes(int step) => step % spec.EverySteps == 0 || step == steps;

    /// <summary>
    /// The share of the hand-over in the average: (1−d^Δ)/(1−d^τ), Δ the steps since the hand-over before, τ those since the
    /// start or the last reset. It is the bias-corrected exponential average (Kingma and Ba, 2015, section 3, in the form of a
    /// running mean) with the decay d per step, and Δ/τ, the uniform average of Polyak and Juditsky (1992), at d = 1.
    /// </summary>
    public double ShareAt(int step)
    {
        var start = LastReset(step);
        var before = Math.Max(start, (step - 1) / spec.EverySteps * spec.EverySteps);
        return spec.Decay == 1
            ? (double)(step - before) / (step - start)
            : Exactly.OneMinusPower(spec.Decay, step - before) / Exactly.OneMinusPower(spec.Decay, step - start);
    }

    /// <summary>The end of the cycle before the one that the step is in; 0 if the average is never reset.</summary>
    private int LastReset(int step)
    {
        if (spec.Reset == AveragingReset.Never) return 0;
        var cycle = (int)(((long)step * cycles + steps - 1) / steps);
        while (EqualParts.End(cycle, steps, cycles) >= step) cycle--;
        return EqualParts.End(cycle, steps, cycles);
    }
}

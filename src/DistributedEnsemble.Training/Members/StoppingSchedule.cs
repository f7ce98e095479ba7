using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// When a member is evaluated on the validation rows, and when it has had its chances (Prechelt, "Early stopping – but when?",
/// 1998): pure functions of the step and of the best one, so that a checkpoint needs no counters.
/// </summary>
/// <param name="every">n.</param>
/// <param name="steps">T.</param>
internal sealed class StoppingSchedule(int patience, int every, int steps)
{
    /// <returns>Null if the spec stops nobody early.</returns>
    /// <exception cref="SpecException">A member would be evaluated at its last step alone.</exception>
    public static StoppingSchedule? Of(EnsembleSpec spec, int steps, int stepsPerEpoch)
    {
        if (spec.Training.EarlyStopping is not { } stopping) return null;
        var every = stopping.EverySteps ?? stepsPerEpoch;
        return every <= steps ? new StoppingSchedule(stopping.Patience, every, steps) : throw new SpecException(
            $"training.earlyStopping.everySteps is {every}: a member has only {steps} steps. Evaluate more often or train longer.");
    }

    /// <summary>Steps between two evaluations.</summary>
    public int EverySteps => every;

    /// <summary>Evaluations without a better one after which a member stops.</summary>
    public int Patience => patience;

    /// <summary>Whether the weights after a step are evaluated: at n, 2n, … and T.</summary>
    public bool Includes(int step) => step % every == 0 || step == steps;

    /// <summary>Whether as many evaluations as there is patience were no better.</summary>
    /// <param name="best">The step of the best; 0 if there is none.</param>
    public bool IsOver(int step, int best) => step == steps || step / every - best / every >= patience;
}

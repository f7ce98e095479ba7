using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Schedules;

/// <summary>
/// Cosine annealing with warm restarts: α(t) = α₀/2·(cos(π·(t−1−sᵢ₋₁)/(sᵢ−sᵢ₋₁)) + 1) in cycle i, the steps sᵢ₋₁+1…sᵢ with
/// sᵢ = ⌈i·T/M⌉; eq. (2) of Huang et al., "Snapshot ensembles", ICLR 2017, wherever M divides T.
/// </summary>
public sealed class CyclicCosine(double rate, int steps, int cycles) : LearningRate
{
    public override double At(int step)
    {
        var cycle = (int)(((long)step * cycles + steps - 1) / steps);
        while (EqualParts.End(cycle - 1, steps, cycles) >= step) cycle--;
        while (EqualParts.End(cycle, steps, cycles) < step) cycle++;
        var (before, end) = (EqualParts.End(cycle - 1, steps, cycles), EqualParts.End(cycle, steps, cycles));
        return rate / 2 * (Exactly.CosineOfHalfTurns((double)(step - 1 - before) / (end - before)) + 1);
    }
}

/// <summary>T steps in M parts of nearly equal length: snapshots and cycles end together.</summary>
internal static class EqualParts
{
    /// <summary>sᵢ = ⌈i·T/M⌉.</summary>
    public static int End(int part, int steps, int parts) => (int)(((long)part * steps + parts - 1) / parts);
}

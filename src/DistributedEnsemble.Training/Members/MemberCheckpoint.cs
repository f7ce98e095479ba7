using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Members;

/// <summary>All that a member needs to continue exactly: its weights, the optimizer's state, and the step.</summary>
/// <param name="Best">Of a member that may stop early; null before its first evaluation.</param>
public sealed record MemberCheckpoint(int Step, Weights Weights, IReadOnlyList<OptimizerVector> Optimizer, BestModel? Best = null) : IDisposable
{
    public void Dispose()
    {
        Weights.Dispose();
        foreach (var vector in Optimizer) vector.Values.Dispose();
        Best?.Dispose();
    }
}

/// <summary>A part of an optimizer's state.</summary>
/// <param name="Values">As long as the parameters.</param>
public readonly record struct OptimizerVector(string Name, NativeVector Values);

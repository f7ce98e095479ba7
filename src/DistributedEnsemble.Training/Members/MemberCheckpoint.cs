using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>All that a member needs to continue exactly: its weights, the optimizer's state, and the step.</summary>
public sealed record MemberCheckpoint(int Step, Weights Weights, IReadOnlyList<OptimizerVector> Optimizer) : IDisposable
{
    public void Dispose()
    {
        Weights.Dispose();
        foreach (var vector in Optimizer) vector.Values.Dispose();
    }
}

/// <summary>A part of an optimizer's state.</summary>
/// <param name="Values">Float32, [parameters].</param>
public readonly record struct OptimizerVector(string Name, Tensor Values);

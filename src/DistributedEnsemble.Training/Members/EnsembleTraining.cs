using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// Trains an ensemble member after member on the calling thread: the reference that every distributed run equals bit by bit.
/// </summary>
public static class EnsembleTraining
{
    /// <param name="members">The members to train; null is all of them.</param>
    /// <param name="onStep">Told of every logged step.</param>
    /// <returns>The snapshots in order of member and step; the caller disposes their weights.</returns>
    public static IReadOnlyList<Snapshot> Run(
        TrainingPlan plan, IEnumerable<int>? members = null, Action<int, StepMetrics>? onStep = null,
        CancellationToken cancellation = default)
    {
        set_num_threads(plan.Spec.ThreadsPerMember);
        var snapshots = new List<Snapshot>();
        foreach (var member in members ?? Enumerable.Range(0, plan.Spec.Members))
        {
            using var training = new MemberTraining(plan, member);
            while (training.Step < plan.Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                if (training.Advance() is { } metrics) onStep?.Invoke(member, metrics);
                if (plan.SnapshotSteps.Contains(training.Step))
                {
                    snapshots.Add(new Snapshot(member, training.Step, training.CopyWeights()));
                }
            }
        }

        return snapshots;
    }
}

/// <summary>Immutable weights of one member at one step.</summary>
public sealed record Snapshot(int Member, int Step, Weights Weights);

using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// Trains an ensemble member after member on the calling thread: the reference that every distributed run equals bit by bit.
/// </summary>
public static class EnsembleTraining
{
    /// <param name="members">The members to train; null is all of them.</param>
    /// <param name="onStep">Told of every logged step.</param>
    /// <param name="ema">Gets the EMA model of each member, if the spec averages; the caller disposes its weights.</param>
    /// <returns>The snapshots in order of member and step, and among them the final models; the caller disposes their weights.</returns>
    public static IReadOnlyList<Snapshot> Run(
        TrainingPlan plan, IEnumerable<int>? members = null, Action<int, StepMetrics>? onStep = null,
        ICollection<Snapshot>? ema = null, CancellationToken cancellation = default)
    {
        var snapshots = new List<Snapshot>();
        foreach (var member in members ?? Enumerable.Range(0, plan.Spec.Members))
        {
            var own = plan.Of(member);
            using var training = new MemberTraining(plan, member);
            using var average = own.Averaging is null ? null : new Weights(own.Network.Layout);
            while (!training.HasEnded)
            {
                cancellation.ThrowIfCancellationRequested();
                if (training.Advance() is { } metrics) onStep?.Invoke(member, metrics);
                if (training.IsSnapshot) snapshots.Add(new Snapshot(member, training.Step, training.CopyWeights()));
                if (training.IsAveraged) training.FoldInto(average!, own.Averaging!.ShareAt(training.Step));
            }

            if (training.KeepsFinal) snapshots.Add(new Snapshot(member, training.FinalStep, training.CopyFinal()));
            if (average is not null) ema?.Add(new Snapshot(member, training.Step, average.Copy()));
        }

        return [.. snapshots.OrderBy(snapshot => snapshot.Member).ThenBy(snapshot => snapshot.Step)];
    }
}

/// <summary>Immutable weights of one member at one step.</summary>
public sealed record Snapshot(int Member, int Step, Weights Weights);

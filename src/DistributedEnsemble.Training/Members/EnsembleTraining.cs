namespace DistributedEnsemble.Training;

/// <summary>
/// Trains an ensemble member after member on the calling thread: the reference that every distributed run equals bit by bit.
/// </summary>
public static class EnsembleTraining
{
    /// <param name="members">The members to train; null is all of them.</param>
    /// <param name="onStep">Told of every logged step.</param>
    /// <param name="ema">Gets the EMA model of each member, if the spec averages; the caller disposes its weights.</param>
    /// <returns>The snapshots in order of member and step; the caller disposes their weights.</returns>
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
            while (training.Step < own.Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                if (training.Advance() is { } metrics) onStep?.Invoke(member, metrics);
                if (own.SnapshotSteps.Contains(training.Step))
                {
                    snapshots.Add(new Snapshot(member, training.Step, training.CopyWeights()));
                }

                if (average is not null && own.Averaging!.Includes(training.Step)) training.FoldInto(average, own.Averaging.ShareAt(training.Step));
            }

            if (average is not null) ema?.Add(new Snapshot(member, own.Steps, average.Copy()));
        }

        return snapshots;
    }
}

/// <summary>Immutable weights of one member at one step.</summary>
public sealed record Snapshot(int Member, int Step, Weights Weights);

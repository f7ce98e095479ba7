using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Schedules;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// What one member trains by: its own spec, network and rows, and what follows from them. It depends on no other member.
/// Immutable; used by many threads.
/// </summary>
public sealed class MemberPlan
{
    private const int MostSteps = 1_000_000_000;

    private readonly Lazy<LearningTask> _task;

    /// <exception cref="SpecException">The member's spec does not fit the data.</exception>
    internal MemberPlan(TrainingPlan run, int member)
    {
        (Run, Member, Spec) = (run, member, run.Networks.SpecOf(member));
        RowCount = checked(run.Rows.CountOf(member) + run.FurtherRows);
        _ = run.Dataset.Task.For(Spec);
        _task = new Lazy<LearningTask>(() => run.Dataset.Task.For(Spec, Targets()));
        var batchSize = Math.Min(Spec.Training.BatchSize, RowCount);
        StepsPerEpoch = (RowCount + batchSize - 1) / batchSize;
        var steps = (long)StepsPerEpoch * Spec.Training.Epochs;
        Steps = steps <= MostSteps ? (int)steps : throw new SpecException(
            $"training.epochs is {Spec.Training.Epochs}: with {StepsPerEpoch} steps each that is over {MostSteps} steps. Train fewer epochs.");
        LearningRate = LearningRate.Create(Spec, Steps, StepsPerEpoch);
        Stopping = StoppingSchedule.Of(Spec, Steps, StepsPerEpoch);
        CheckStopping();
        SnapshotSteps = SnapshotsOf(Spec.Snapshots?.PerMember ?? (Stopping is null ? 1 : 0), Steps);
        Averaging = AveragingSchedule.Of(Spec, Steps);
    }

    /// <summary>What it has in common with the others.</summary>
    public TrainingPlan Run { get; }

    /// <summary>Its index.</summary>
    public int Member { get; }

    public EnsembleSpec Spec { get; }

    /// <summary>What it learns, as its spec wants it; classes are weighted by its own rows.</summary>
    public LearningTask Task => _task.Value;

    public Network Network => Run.Networks.Of(Member);

    public LearningRate LearningRate { get; }

    /// <summary>T.</summary>
    public int Steps { get; }
    public int StepsPerEpoch { get; }

    /// <summary>When it is evaluated on the validation rows; null if it may not stop early.</summary>
    internal StoppingSchedule? Stopping { get; }

    /// <summary>
    /// The steps at which its weights are kept if it comes to them, ascending; the last is T. The best ones of a member that may stop
    /// early are kept besides.
    /// </summary>
    public IReadOnlySet<int> SnapshotSteps { get; }

    /// <summary>When weights are averaged; null if they are not.</summary>
    internal AveragingSchedule? Averaging { get; }

    /// <summary>What it takes to train.</summary>
    public MemberLoad Load => new(Steps, StepsPerEpoch, Network.StepCost(RowsOfStep));

    /// <summary>Masks under which a step sees each row of its batch.</summary>
    public int Repeats => Spec.Regularization.Dropout?.Repeats ?? 1;

    /// <summary>The most rows that the network is given in a step.</summary>
    public int RowsOfStep => checked(Math.Min(Spec.Training.BatchSize, RowCount) * Repeats);

    /// <summary>Rows of an epoch, those that only a teacher labels among them.</summary>
    public int RowCount { get; }

    /// <summary>Whether a metric line is written at a step.</summary>
    public bool IsLogged(int step) => step % Spec.Logging.EverySteps == 0 || step == Steps || Stopping?.Includes(step) == true;

    /// <summary>Why a step has a batch that its network cannot train on; null if none has. What it kept before such a step can be read nevertheless.</summary>
    internal string? WhyUntrainable
    {
        get
        {
            var batchSize = Math.Min(Spec.Training.BatchSize, RowCount);
            return Network.NotOneRow is not { } reason || Repeats > 1 || (batchSize > 1 && RowCount % batchSize != 1) ? null
                : $"training.batchSize is {Spec.Training.BatchSize}: of {RowCount:N0} rows the last batch is one. {reason}. Choose another size.";
        }
    }

    private void CheckStopping()
    {
        if (Stopping is null || Run.Split.Validation.Length > 0) return;
        throw new SpecException(
            $"training.earlyStopping.patience is {Stopping.Patience}: members stop by the validation rows, and data.validationFraction {Spec.Data.ValidationFraction} "
            + $"of {Run.Split.TrainingCount} rows is none (raise it, or set training.earlyStopping to null).");
    }

    /// <summary>Asked for only where they matter.</summary>
    private IEnumerable<float> Targets()
    {
        foreach (var row in Run.Rows.Of(Member)) yield return Run.Dataset.Train.Targets[row];
    }

    private static HashSet<int> SnapshotsOf(int perMember, int steps) =>
        perMember <= steps
            ? [.. Enumerable.Range(1, perMember).Select(i => EqualParts.End(i, steps, perMember))]
            : throw new SpecException(
                $"snapshots.perMember is {perMember}: a member has only {steps} {Plural.Of(steps, "step")}. Take fewer snapshots or train longer.");
}

using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>Where a run is between two commits: not durable, and shown together with the record.</summary>
internal sealed class RunProgress(RunKey run, TimeProvider time)
{
    private readonly Dictionary<int, MemberProgress> _members = [];
    private double _secondsBefore;
    private long? _trainingSince;

    /// <summary>How often anything has changed: who has shown it compares.</summary>
    public int Changes { get; private set; }

    public double TrainSeconds =>
        _secondsBefore + (_trainingSince is { } since ? time.GetElapsedTime(since).TotalSeconds : 0);

    public void Start(RunRecord record) => _secondsBefore = record.TrainSeconds;

    public void Assigned(MemberRecord member)
    {
        _trainingSince ??= time.GetTimestamp();
        _members.Remove(member.Index);
        Changes++;
    }

    public void Report(MemberProgress progress)
    {
        // A coordinator that came back finds members in training that it has not assigned.
        _trainingSince ??= time.GetTimestamp();
        if (_members.GetValueOrDefault(progress.By.Member) == progress) return;
        _members[progress.By.Member] = progress;
        Changes++;
    }

    public void Committed(MemberRecord member)
    {
        Changes++;
        if (member.State != MemberState.Training) Left(member.Index);
    }

    /// <summary>The member is no longer on a lane; what is committed of it stays to be seen.</summary>
    public void Left(int member)
    {
        Changes++;
        _members.Remove(member);
    }

    /// <param name="isUnderWay">Its end is not told before it is durable, nor a pause while lanes still take their checkpoints.</param>
    public RunStatus Project(RunRecord record, bool isUnderWay)
    {
        var isTraining = record.Members.Any(m => m.State == MemberState.Training);
        if (!isTraining) Pause();
        var members = record.Members.Select(member => Project(record, member)).ToList();
        return new RunStatus
        {
            Run = run.Name,
            Id = run.Id,
            State = isUnderWay ? RunState.Running : record.State,
            Reason = isUnderWay ? null : record.Reason,
            Exact = record.Exact,
            Steps = members.Sum(m => (long)m.Step),
            StepsTotal = (long)record.StepsPerMember * record.Members.Length,
            TrainSeconds = Math.Round(TrainSeconds, 3),
            Machine = record.Machine,
            Members = [.. members],
            Snapshots = record.Snapshots,
            Ema = [.. record.Members.Select(member => member.Ema).OfType<WeightFile>()],
        };
    }

    /// <summary>Nobody trains: the seconds no longer count.</summary>
    public void Pause()
    {
        _secondsBefore = TrainSeconds;
        _trainingSince = null;
    }

    private MemberStatus Project(RunRecord record, MemberRecord member)
    {
        var isTraining = member.State == MemberState.Training;
        var progress = _members.GetValueOrDefault(member.Index);
        var step = isTraining ? Math.Max(member.Step, progress?.Step ?? 0) : member.Step;
        return new MemberStatus
        {
            Index = member.Index,
            State = member.State,
            Silo = member.State == MemberState.Waiting ? null : member.Silo,
            Lane = isTraining ? progress?.Lane : null,
            Attempt = member.Attempt,
            Step = step,
            Epoch = Math.Round((double)step / record.StepsPerEpoch, 3),
            Loss = (isTraining ? progress?.Loss : null) ?? member.Loss,
            StepsPerSecond = isTraining ? Math.Round(progress?.StepsPerSecond ?? 0, 1) : 0,
            Reason = member.Reason,
        };
    }
}

using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Where a run is between two commits: not durable, and shown together with the record.</summary>
internal sealed record RunProgress
{
    private ImmutableDictionary<int, MemberProgress> Members { get; init; } = ImmutableDictionary<int, MemberProgress>.Empty;
    private double SecondsBefore { get; init; }
    private TimeSpan? TrainingSince { get; init; }

    /// <summary>How often anything has changed: whoever has shown it compares.</summary>
    public int Changes { get; private init; }

    /// <summary>Seconds in which at least one member was in training.</summary>
    public double TrainSecondsAt(TimeSpan now) => SecondsBefore + (TrainingSince is { } since ? (now - since).TotalSeconds : 0);

    /// <summary>Goes on from what the record says.</summary>
    public RunProgress From(RunRecord record) => this with { SecondsBefore = record.TrainSeconds };

    public RunProgress Assigned(int member, TimeSpan now) => Left(member) with { TrainingSince = TrainingSince ?? now };

    public RunProgress Reported(MemberProgress progress, TimeSpan now)
    {
        // A coordinator that came back finds members in training that it has not assigned.
        var counting = TrainingSince is null ? this with { TrainingSince = now } : this;
        return counting.Members.GetValueOrDefault(progress.By.Member) == progress
            ? counting
            : counting with { Members = Members.SetItem(progress.By.Member, progress), Changes = Changes + 1 };
    }

    public RunProgress Changed() => this with { Changes = Changes + 1 };

    /// <summary>The member is no longer on a lane; what is committed of it stays to be seen.</summary>
    public RunProgress Left(int member) => this with { Members = Members.Remove(member), Changes = Changes + 1 };

    /// <summary>Nobody trains: the seconds no longer count.</summary>
    public RunProgress PausedAt(TimeSpan now) => this with { SecondsBefore = TrainSecondsAt(now), TrainingSince = null };

    /// <param name="isUnderWay">Its end is not told before it is durable, nor a pause while lanes still take their checkpoints.</param>
    public RunStatus Project(RunKey run, RunRecord record, bool isUnderWay, TimeSpan now)
    {
        var members = ImmutableArray.CreateBuilder<MemberStatus>(record.Members.Count);
        var (steps, total, ema) = (0L, 0L, ImmutableArray.CreateBuilder<WeightFile>());
        foreach (var member in record.Members)
        {
            var status = Project(record, member);
            members.Add(status);
            steps += status.Step;
            total += status.StepsTotal;
            if (member.Ema is { } model) ema.Add(model);
        }

        return new RunStatus
        {
            Run = run.Name,
            Id = run.Id,
            State = isUnderWay ? RunState.Running : record.State,
            Reason = isUnderWay ? null : record.Reason,
            Exact = record.Exact,
            Steps = steps,
            StepsTotal = total,
            TrainSeconds = Math.Round(TrainSecondsAt(now), 3),
            Machine = record.Machine,
            Members = members.MoveToImmutable(),
            Snapshots = record.Snapshots(),
            Ema = ema.ToImmutable(),
        };
    }

    private MemberStatus Project(RunRecord record, MemberRecord member)
    {
        var (isTraining, hasEnded) = (member.State == MemberState.Training, member.State == MemberState.Completed);
        var (progress, load) = (Members.GetValueOrDefault(member.Index), record.Loads[member.Index]);
        var step = isTraining ? Math.Max(member.Step, progress?.Step ?? 0) : member.Step;
        return new MemberStatus
        {
            Index = member.Index,
            State = member.State,
            Silo = member.State == MemberState.Waiting ? null : member.Silo,
            Lane = isTraining ? progress?.Lane : null,
            Attempt = member.Attempt,
            Step = step,
            Epoch = Math.Round((double)step / load.StepsPerEpoch, 3),
            Loss = (isTraining ? progress?.Loss : null) ?? member.Loss,
            StepsPerSecond = isTraining ? Math.Round(progress?.StepsPerSecond ?? 0, 1) : 0,
            Reason = member.Reason,
            StepsTotal = hasEnded ? step : load.Steps,
            Cost = record.Loads.ShareOf(member.Index),
            FinalStep = hasEnded ? member.FinalStep ?? step : null,
        };
    }
}

using System.Collections.Immutable;

namespace DistributedEnsemble.Runs;

/// <summary>Something that happened to a run, for people: a line of its timeline.jsonl. Nothing is decided by it, and one may be missing.</summary>
/// <param name="Member">Null if it happened to the run as a whole.</param>
/// <param name="Step">The last step that the record has of the member.</param>
/// <param name="Silo">Address and port of the silo that it happened on.</param>
public sealed record RunHappening(DateTimeOffset Time, RunHappeningKind Kind, int? Member = null, int? Step = null, string? Silo = null, string? Reason = null)
{
    /// <summary>What happened between two looks at a run.</summary>
    /// <param name="before">Null if it was not there.</param>
    public static ImmutableArray<RunHappening> Between(RunStatus? before, RunStatus after, DateTimeOffset time)
    {
        var happened = ImmutableArray.CreateBuilder<RunHappening>();
        if (before is null) happened.Add(new RunHappening(time, RunHappeningKind.Started));
        foreach (var member in after.Members)
        {
            if (OfMember(before is not null && member.Index < before.Members.Length ? before.Members[member.Index] : null, member, time) is { } one) happened.Add(one);
        }

        if (before is not null && before.State != after.State && OfState(before.State, after.State) is { } kind)
            happened.Add(new RunHappening(time, kind, Reason: after.Reason));
        return happened.ToImmutable();
    }

    private static RunHappening? OfMember(MemberStatus? before, MemberStatus after, DateTimeOffset time)
    {
        var kind = after.State switch
        {
            MemberState.Completed when before?.State != MemberState.Completed => RunHappeningKind.MemberCompleted,
            MemberState.Failed when before?.State != MemberState.Failed => RunHappeningKind.MemberFailed,
            MemberState.Training when after.Attempt > (before?.Attempt ?? 0) => after.Attempt == 1 ? RunHappeningKind.MemberStarted : RunHappeningKind.MemberWentOn,
            MemberState.Waiting when before?.State == MemberState.Training => RunHappeningKind.MemberLeft,
            MemberState.Completed or MemberState.Failed or MemberState.Training or MemberState.Waiting => (RunHappeningKind?)null,
        };
        return kind is { } happened ? new RunHappening(time, happened, after.Index, after.Step, after.Silo ?? before?.Silo, after.Reason) : null;
    }

    private static RunHappeningKind? OfState(RunState before, RunState after) => after switch
    {
        RunState.Paused => RunHappeningKind.Paused,
        RunState.Completed => RunHappeningKind.Completed,
        RunState.Degraded => RunHappeningKind.Degraded,
        RunState.Failed => RunHappeningKind.Failed,
        RunState.Running or RunState.Queued => before == RunState.Paused ? RunHappeningKind.Resumed : null,
    };
}

/// <summary>What happened to a run or to one of its members.</summary>
public enum RunHappeningKind
{
    Started,
    Paused,
    Resumed,
    Completed,
    Degraded,
    Failed,
    MemberStarted,

    /// <summary>It was assigned again, here or elsewhere, and goes on from its last checkpoint.</summary>
    MemberWentOn,

    /// <summary>It left its lane at a checkpoint: to move, or because the run pauses.</summary>
    MemberLeft,

    /// <summary>Its silo died, or its lane went without a word.</summary>
    MemberLost,
    MemberCompleted,
    MemberFailed,
}

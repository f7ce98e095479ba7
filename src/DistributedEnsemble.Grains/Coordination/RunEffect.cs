using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Something that a coordinator shall do.</summary>
internal abstract record RunEffect;

/// <summary>Answers a call.</summary>
internal sealed record Reply(long Call, object? Answer) : RunEffect;

/// <summary>Lets a call fail.</summary>
internal sealed record Refuse(long Call, Exception Error) : RunEffect;

/// <summary>Writes what has changed unless another activation has written meanwhile. One is in flight at a time.</summary>
/// <param name="Before">The record as the store has it; null if it has none.</param>
internal sealed record WriteRecord(long Version, RunRecord? Before, RunRecord Record) : RunEffect;

/// <summary>Reads the record as it is in the store.</summary>
internal sealed record ReadRecord : RunEffect;

/// <summary>Removes the record, gives the name free, and removes the run's files.</summary>
internal sealed record ClearRecord(long Call) : RunEffect;

/// <summary>Takes the run's name and folder, and writes its definition there; leaves nothing if that fails.</summary>
internal sealed record Claim(long Number, RunRequest Request) : RunEffect;

/// <summary>Gives back what <see cref="Claim"/> took: nothing is left of the run, and its name is free; unless the store of a cluster has its record all the same.</summary>
internal sealed record Unclaim : RunEffect;

/// <summary>As <see cref="Unclaim"/>, for a run that another activation claimed.</summary>
internal sealed record Vacate(long Call) : RunEffect;

/// <summary>Takes the run for this process, and reads its record, which may be later than this activation's.</summary>
internal sealed record TakeOver(long Number) : RunEffect;

/// <summary>Writes spec.json and data.json, unless they are there.</summary>
internal sealed record WriteDefinition(long Number, string Spec, string Data) : RunEffect;

/// <summary>Gives the run free for other processes.</summary>
internal sealed record ReleaseRun : RunEffect;

/// <summary>Lets another activation take this one's place.</summary>
internal sealed record Deactivate : RunEffect;

/// <summary>Gives a member to a silo: the first call to its grain decides where it is.</summary>
internal sealed record CallMember(long Call, MemberAttempt Attempt, ImmutableArray<WeightFile> Checkpoints, LaneGrant Grant) : RunEffect;

/// <summary>Asks a lane to take a checkpoint and leave. A lane that cannot be reached hears it with its next answer.</summary>
internal sealed record StopMember(MemberAttempt Attempt) : RunEffect;

/// <summary>A member of the run may be waiting, or the run has ended.</summary>
internal sealed record TellScheduler : RunEffect;

/// <summary>Folds a hand-over into the EMA model before it, and stores the next model.</summary>
internal sealed record Fold(WeightFile? Model, WeightFile HandOver, double Share) : RunEffect;

/// <summary>Puts lines into the file of a member's metrics, so that they end at a place.</summary>
internal sealed record AppendMetrics(int Member, long End, string Lines) : RunEffect;

/// <summary>Deletes a file that the record does not name any more.</summary>
internal sealed record DeleteFile(WeightFile File) : RunEffect;

/// <summary>Writes run.json. One is in flight at a time.</summary>
/// <param name="Tidies">Whether files go afterwards that the record does not name, and are old.</param>
/// <param name="MayWait">Whether it just tells of what has changed, and more of that will come.</param>
internal sealed record WriteStatus(RunKey Run, RunProgress Progress, RunRecord Record, bool IsUnderWay, TimeSpan At, bool Tidies, bool MayWait) : RunEffect
{
    /// <summary>Made when it is written, aside: it has all of a run.</summary>
    public RunStatus Status => Progress.Project(Run, Record, IsUnderWay, At);
}

/// <summary>Looks whether run.json tells of a run's end; if it does not, takes the run until it does.</summary>
internal sealed record CheckEnd(RunState State, TimeSpan Delay) : RunEffect;

/// <summary>Says why a run that begins can not be repeated bit by bit.</summary>
internal sealed record SayInexact(string Reason) : RunEffect;

/// <summary>Says that a member continues on another kind of machine.</summary>
internal sealed record SayMachineDiffers(int Member, MachineInfo Machine, MachineInfo First) : RunEffect;

/// <summary>Says that a member's lane is gone.</summary>
internal sealed record SayMemberLost(int Member, string? Silo) : RunEffect;

using System.Collections.Immutable;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// All that a coordinator knows. The record is here as the next write will write it: what is on its way into the store, and
/// what waits for it to arrive, is visible beside it.
/// </summary>
internal sealed record CoordinatorState
{
    public required RunKey Run { get; init; }

    /// <summary>The folder of all runs, for people.</summary>
    public string Place { get; init; } = "";

    public TimingOptions Timing { get; init; } = new();

    /// <summary>Whether lanes end with the coordinator's process, which then owns the run; else other silos go on.</summary>
    public bool LanesEndWithProcess { get; init; }

    /// <summary>Whether the store has a record of the run.</summary>
    public bool Exists { get; init; }

    public RunRecord Record { get; init; } = new();

    /// <summary>When and how hand-overs are averaged; null if they are not.</summary>
    public RunAveraging? Averaging { get; init; }

    /// <summary>Whether this activation trains and changes the run.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Whether the run is shown as running: an end is told when it is durable, a pause when the last lane has left.</summary>
    public bool IsUnderWay { get; init; }

    /// <summary>Whether another activation takes this one's place: it does not know what the store has.</summary>
    public bool IsGone { get; init; }

    /// <summary>Whether a later call is to find another activation, which reads the record again.</summary>
    public bool IsLeaving { get; init; }

    /// <summary>When the record was read, or this activation last trained the run.</summary>
    public TimeSpan ReadAt { get; init; }

    /// <summary>Counts the changes of the record that have to be written.</summary>
    public long Version { get; init; }

    /// <summary>The change that the store has.</summary>
    public long Durable { get; init; }

    /// <summary>The change that is being written; 0 if none is.</summary>
    public long Writing { get; init; }

    /// <summary>The record as the store has it.</summary>
    public RunRecord? Stored { get; init; }

    /// <summary>The record that is being written.</summary>
    public RunRecord? WritingRecord { get; init; }

    /// <summary>When the write in flight began.</summary>
    public TimeSpan WritingSince { get; init; }

    /// <summary>When the last write began that succeeded: then, at least, this activation was the one that knows.</summary>
    public TimeSpan? ConfirmedAt { get; init; }

    /// <summary>What follows from writes, in order.</summary>
    public ImmutableList<Awaiting> Awaiting { get; init; } = [];

    /// <summary>A start or a resume on its way.</summary>
    public Beginning? Beginning { get; init; }

    public long LastBeginning { get; init; }

    /// <summary>An end or a pause on its way, when no lane trains any more.</summary>
    public Ending? Ending { get; init; }

    /// <summary>A pause that cannot be written.</summary>
    public Halting? Halting { get; init; }

    /// <summary>The hand-over that is being folded.</summary>
    public WeightFile? Folding { get; init; }

    /// <summary>Hand-overs that the record names, whose senders wait until they are folded.</summary>
    public ImmutableArray<FoldWait> FoldWaits { get; init; } = [];

    /// <summary>Commits that wait until the metric lines before theirs are in the file.</summary>
    public ImmutableArray<CommitCalled> HeldCommits { get; init; } = [];

    /// <summary>What is known of each member besides the record.</summary>
    public Chunks<MemberWatch> Watches { get; init; } = Chunks<MemberWatch>.Empty;

    public RunProgress Progress { get; init; } = new();

    /// <summary>The change of the progress that run.json shows.</summary>
    public int Shown { get; init; }

    /// <summary>When run.json may be written again for what has changed: a large one is not written as often.</summary>
    public TimeSpan ShowAfter { get; init; }

    /// <summary>The run.json that is being written.</summary>
    public Showing? Showing { get; init; }

    /// <summary>The run.json that is written after that one.</summary>
    public Showing? ShowNext { get; init; }

    /// <summary>Whether a look at the members waits for its fence.</summary>
    public bool IsLooking { get; init; }

    /// <summary>Calls that have assigned members, whose silos have not all answered.</summary>
    public ImmutableDictionary<long, Assigning> Assigning { get; init; } = ImmutableDictionary<long, Assigning>.Empty;

    public RunStatus StatusAt(TimeSpan now) => Progress.Project(Run, Record, IsUnderWay, now);

    public RunLoad Load()
    {
        var attempts = ImmutableArray.CreateBuilder<int>(Record.Members.Count);
        var silos = new Dictionary<string, int>();
        foreach (var member in Record.Members)
        {
            attempts.Add(member.State == MemberState.Training ? member.Attempt : 0);
            if (member is { State: not MemberState.Waiting, Silo: { } silo }) silos[silo] = silos.GetValueOrDefault(silo) + 1;
        }

        return new RunLoad(
            IsUnderWay ? RunState.Running : Record.State, Record.Members.Waiting, attempts.MoveToImmutable(),
            [.. silos.Select(silo => new SiloMembers(silo.Key, silo.Value))]) { AreAlike = Record.Loads.AreAlike };
    }
}

/// <summary>What is known of a member besides the record.</summary>
/// <param name="HeardAttempt">The attempt that spoke last, or has time to since it was noticed.</param>
/// <param name="MovingAttempt">The attempt that is asked to leave for another silo; 0 if none is.</param>
/// <param name="LinesNamedAt">The change of the record that named the unwritten metric lines.</param>
/// <param name="Misses">How often its metric lines, or its EMA model, could not be written since they last could.</param>
internal readonly record struct MemberWatch(int HeardAttempt, TimeSpan HeardAt, int MovingAttempt, long LinesNamedAt, bool IsAppending, int Misses);

/// <summary>What follows when the store has a change.</summary>
internal readonly record struct Awaiting(long Version, Consequence Then);

/// <summary>A run that begins, or goes on: the calls that asked for it.</summary>
/// <param name="Number">Of the attempt to take the run: what comes of an earlier one does not count.</param>
/// <param name="Request">What makes the run; null if it is resumed.</param>
/// <param name="IsTaking">Whether the record is being read for it: nothing is written meanwhile.</param>
internal sealed record Beginning(
    long Number, RunRequest? Request, RunAveraging? Averaging, ImmutableArray<long> Calls, bool IsTaking = false);

/// <param name="Version">The change of the record that has the end.</param>
/// <param name="Replies">The calls that hear of the end when it is told.</param>
/// <param name="Misses">How often run.json could not be written.</param>
internal sealed record Ending(RunState State, long Version, ImmutableArray<Reply> Replies, int Misses = 0);

/// <param name="Lanes">Those that are told.</param>
/// <param name="Resumes">Calls that came meanwhile.</param>
internal sealed record Halting(string Reason, ImmutableArray<MemberAttempt> Lanes, ImmutableArray<ResumeCalled> Resumes);

/// <param name="Left">Members of which it is not known whether they were taken.</param>
internal sealed record Assigning(int Left, ImmutableArray<MemberAttempt> Taken);

internal readonly record struct FoldWait(long Call, MemberAttempt By, WeightFile Weights);

/// <summary>A run.json.</summary>
/// <param name="Changes">The change of the progress that it shows.</param>
/// <param name="Calls">Those that are answered when it is written.</param>
internal sealed record Showing(ShowReason Reason, int Changes, ImmutableArray<Reply> Calls);

internal enum ShowReason
{
    /// <summary>Something has changed.</summary>
    Change,

    /// <summary>The run begins, or goes on.</summary>
    Beginning,

    /// <summary>The run has ended, or paused.</summary>
    End,

    /// <summary>As <see cref="End"/>, by an activation that does not train it.</summary>
    Told,
}

/// <summary>What follows from a change of the record when the store has it.</summary>
internal abstract record Consequence;

/// <summary>The run begins, or goes on.</summary>
internal sealed record HasBegun(bool IsNew, ImmutableArray<long> Calls) : Consequence;

internal sealed record IsAssigned(long Call, ImmutableArray<MemberAttempt> Attempts, LaneGrant Grant) : Consequence;

internal sealed record WasNotTaken(long Call) : Consequence;

internal sealed record IsCollected(long Call, HandOver HandOver) : Consequence;

internal sealed record IsFolded(WeightFile HandOver, WeightFile? OldModel) : Consequence;

/// <param name="Before">The checkpoints that the record named before.</param>
internal sealed record IsCommitted(long Call, MemberAttempt By, ImmutableArray<WeightFile> Before) : Consequence;

/// <summary>A commit that changes nothing: its checkpoint is known, or says the same as one that is.</summary>
internal sealed record WasCommitted(long Call, MemberAttempt By, WeightFile? Checkpoint) : Consequence;

/// <summary>A member has left its lane.</summary>
internal sealed record HasLeft(long Call, MemberAttempt By) : Consequence;

/// <param name="Call">0 if nobody asked.</param>
internal sealed record IsPaused(long Call) : Consequence;

internal sealed record HasEnded : Consequence;

internal sealed record AreLost : Consequence;

/// <summary>This activation is the one that knows: it may look after the members, and show them.</summary>
internal sealed record IsConfirmed(ImmutableArray<string> DeadSilos) : Consequence;

internal sealed record CanBeShown(ShowReason Reason, ImmutableArray<Reply> Calls) : Consequence;

internal sealed record CanBeDeleted(long Call) : Consequence;

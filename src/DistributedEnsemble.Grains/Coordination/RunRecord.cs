using System.Collections.Immutable;

namespace DistributedEnsemble.Grains;

/// <summary>The durable state of a run, the only truth about it. Every list is in the order in which it is used.</summary>
[GenerateSerializer, Alias("ensemble.record")]
public sealed record RunRecord
{
    [Id(0)] public RunState State { get; init; } = RunState.Queued;
    [Id(1)] public string? Reason { get; init; }
    [Id(2)] public string Spec { get; init; } = "";
    [Id(3)] public string Data { get; init; } = "";

    /// <summary>T, the most that a member does.</summary>
    [Id(4)] public int StepsPerMember { get; init; }

    /// <summary>Where the first step was computed.</summary>
    [Id(5)] public MachineInfo? Machine { get; init; }

    /// <summary>Whether all steps were computed on such machines.</summary>
    [Id(6)] public bool Exact { get; init; } = true;
    [Id(7)] public double TrainSeconds { get; init; }
    [Id(8)] public ImmutableArray<MemberRecord> Members { get; init; } = [];

    [Id(10)] public int StepsPerEpoch { get; init; }

    /// <summary>Ordered by step, then member.</summary>
    [Id(9)] public ImmutableArray<WeightFile> Snapshots { get; init; } = [];

    /// <summary>Whether something is still to do without being asked: members to train, or lanes that take their checkpoints.</summary>
    public bool GoesOn => State == RunState.Running || Members.Any(member => member.State == MemberState.Training);

    /// <summary>The record when no lane trains any of its members.</summary>
    public RunRecord WithoutLanes() => this with { Members = [.. Members.Select(m => m.State == MemberState.Training ? m.Waiting() : m)] };

    /// <summary>Whether a file means something: it is a snapshot, or a member goes on from it.</summary>
    public bool Names(string file) =>
        Snapshots.Any(snapshot => snapshot.File == file)
        || Members.Any(member => member.Ema?.File == file || member.Pending?.File == file || member.Checkpoints.Any(checkpoint => checkpoint.File == file));

    public RunRecord With(MemberRecord member) => this with { Members = Members.SetItem(member.Index, member) };

    public RunRecord With(WeightFile snapshot)
    {
        var after = Snapshots.TakeWhile(s => (s.Step, s.Member).CompareTo((snapshot.Step, snapshot.Member)) < 0).Count();
        return this with { Snapshots = Snapshots.Insert(after, snapshot) };
    }
}

/// <summary>One member in the record.</summary>
[GenerateSerializer, Alias("ensemble.member-record")]
public sealed record MemberRecord
{
    [Id(0)] public required int Index { get; init; }
    [Id(1)] public MemberState State { get; init; } = MemberState.Waiting;

    /// <summary>The fencing token: only the current attempt is heard.</summary>
    [Id(2)] public int Attempt { get; init; }

    /// <summary>The silo of the current attempt; null while waiting.</summary>
    [Id(3)] public string? Silo { get; init; }

    /// <summary>The step of the last commit.</summary>
    [Id(4)] public int Step { get; init; }

    /// <summary>The last two checkpoints, newest first.</summary>
    [Id(5)] public ImmutableArray<WeightFile> Checkpoints { get; init; } = [];

    /// <summary>Bytes of metrics.jsonl that are committed; what follows them was never named.</summary>
    [Id(6)] public long MetricsLength { get; init; }

    [Id(7)] public string? Reason { get; init; }

    /// <summary>The loss of the last committed metric line; null before the first.</summary>
    [Id(8)] public double? Loss { get; init; }

    /// <summary>The EMA model after its last hand-over; null before the first.</summary>
    [Id(9)] public WeightFile? Ema { get; init; }

    /// <summary>A hand-over that is named and not yet in the EMA model; the next one comes after it is.</summary>
    [Id(10)] public WeightFile? Pending { get; init; }

    /// <summary>The last hand-overs that are in the EMA model and no snapshots, by which one that comes again is known.</summary>
    [Id(11)] public ImmutableArray<WeightFile> Folded { get; init; } = [];

    /// <summary>The silo of the current attempt as Orleans parses it: an address alone may have a new process by now.</summary>
    [Id(12)] public string? SiloAddress { get; init; }

    /// <summary>The committed lines of metrics.jsonl that may not be in the file yet: they end at <see cref="MetricsLength"/>.</summary>
    [Id(13)] public string? UnwrittenMetrics { get; init; }

    /// <summary>The step of the final model; null before the member's end, and in the records of former programs, where it is the last.</summary>
    [Id(14)] public int? FinalStep { get; init; }

    public MemberRecord Waiting() => this with { State = MemberState.Waiting, Silo = null, SiloAddress = null };
}

using System.Collections.Immutable;
using System.Text.Json.Serialization;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// The durable state of a run, the only truth about it: what makes the run, which never changes; its state; and what happened
/// to each member, which only grows but for the few files that it goes on from.
/// </summary>
internal sealed record RunRecord
{
    public RunState State { get; init; } = RunState.Queued;
    public string? Reason { get; init; }
    public string Spec { get; init; } = "";
    public string Data { get; init; } = "";

    /// <summary>What each member takes.</summary>
    public MemberLoads Loads { get; init; } = MemberLoads.None;

    /// <summary>Where the first step was computed.</summary>
    public MachineInfo? Machine { get; init; }

    /// <summary>Whether all steps were computed on such machines.</summary>
    public bool Exact { get; init; } = true;

    public double TrainSeconds { get; init; }

    public MemberRecords Members { get; init; } = MemberRecords.Empty;

    /// <summary>Whether something is still to do without being asked: members to train, or lanes that take their checkpoints.</summary>
    public bool GoesOn => State == RunState.Running || Members.Training > 0;

    /// <summary>The snapshots of all members, ordered by step, then member.</summary>
    public ImmutableArray<WeightFile> Snapshots()
    {
        // Members have theirs at the same few steps: to sort a hundred thousand would take longer than all else that a status takes.
        var steps = new SortedDictionary<int, List<WeightFile>>();
        foreach (var member in Members)
        {
            foreach (var snapshot in member.Snapshots)
            {
                if (!steps.TryGetValue(snapshot.Step, out var there)) steps.Add(snapshot.Step, there = []);
                there.Add(snapshot);
            }
        }

        return [.. steps.Values.SelectMany(snapshots => snapshots)];
    }

    /// <summary>The record when no lane trains any of its members.</summary>
    public RunRecord WithoutLanes() => this with { Members = [.. Members.Select(m => m.State == MemberState.Training ? m.Waiting() : m)] };

    /// <summary>Whether a member's file means something: it is a snapshot, or the member goes on from it.</summary>
    public bool Names(WeightFile file) => file.Member >= 0 && file.Member < Members.Count && Members[file.Member].Files.Any(named => named.File == file.File);

    public RunRecord With(MemberRecord member) => this with { Members = Members.With(member) };
}

/// <summary>One member in the record.</summary>
internal sealed record MemberRecord
{
    /// <summary>More than a member can bring again: those since the checkpoint before the last are compared, as far as they go.</summary>
    public const int FoldedRemembered = 64;

    public required int Index { get; init; }
    public MemberState State { get; init; } = MemberState.Waiting;

    /// <summary>The fencing token: only the current attempt is heard.</summary>
    public int Attempt { get; init; }

    /// <summary>The silo of the current attempt; null while waiting.</summary>
    public string? Silo { get; init; }

    /// <summary>The step of the last commit.</summary>
    public int Step { get; init; }

    /// <summary>The last two checkpoints, newest first.</summary>
    public ImmutableArray<WeightFile> Checkpoints { get; init; } = [];

    /// <summary>Bytes of metrics.jsonl that are committed; what follows them was never named.</summary>
    public long MetricsLength { get; init; }

    public string? Reason { get; init; }

    /// <summary>The loss of the last committed metric line; null before the first.</summary>
    public double? Loss { get; init; }

    /// <summary>The EMA model after its last hand-over; null before the first.</summary>
    public WeightFile? Ema { get; init; }

    /// <summary>A hand-over that is named and not yet in the EMA model; the next one comes after it is.</summary>
    public WeightFile? Pending { get; init; }

    /// <summary>The last hand-overs that are in the EMA model and no snapshots, by which one that comes again is known.</summary>
    public ImmutableArray<WeightFile> Folded { get; init; } = [];

    /// <summary>The silo of the current attempt as Orleans parses it: an address alone may have a new process by now.</summary>
    public string? SiloAddress { get; init; }

    /// <summary>The committed lines of metrics.jsonl that may not be in the file yet: they end at <see cref="MetricsLength"/>.</summary>
    public string? UnwrittenMetrics { get; init; }

    /// <summary>In the order in which they came to be named: the best of a member that stops early comes after its end.</summary>
    public ImmutableArray<WeightFile> Snapshots { get; init; } = [];

    /// <summary>The files that mean something.</summary>
    [JsonIgnore]
    public IEnumerable<WeightFile> Files
    {
        get
        {
            foreach (var checkpoint in Checkpoints) yield return checkpoint;
            if (Pending is not null) yield return Pending;
            if (Ema is not null) yield return Ema;
            foreach (var snapshot in Snapshots) yield return snapshot;
        }
    }

    /// <summary>The step of the final model; null before the member's end, and in the records of former programs, where it is the last.</summary>
    public int? FinalStep { get; init; }

    public MemberRecord Waiting() => this with { State = MemberState.Waiting, Silo = null, SiloAddress = null };

    /// <summary>The hand-over is in the EMA model; of those that are no snapshots the last ones are remembered.</summary>
    public MemberRecord WithFolded(WeightFile handOver) => this with { Folded = Newest([.. Folded, handOver]) };

    /// <summary>This member with only those snapshots and folded hand-overs that it had not before.</summary>
    public MemberRecord Since(MemberRecord before)
    {
        var known = before.Folded.IsEmpty ? -1 : Folded.LastIndexOf(before.Folded[^1]);
        return this with { Snapshots = Snapshots[before.Snapshots.Length..], Folded = Folded[(known + 1)..] };
    }

    /// <summary>The opposite of <see cref="Since"/>: this is the member before.</summary>
    public MemberRecord Then(MemberRecord change) => change with
    {
        Snapshots = Snapshots.AddRange(change.Snapshots),
        Folded = Newest(Folded.AddRange(change.Folded)),
    };

    private static ImmutableArray<WeightFile> Newest(ImmutableArray<WeightFile> folded) =>
        folded.Length > FoldedRemembered ? folded.RemoveRange(0, folded.Length - FoldedRemembered) : folded;
}

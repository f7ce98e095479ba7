using System.Collections.Immutable;
using System.Text.Json.Serialization;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>A record as it was kept before it grew by what happened: one file with all of it, and the snapshots in one list.</summary>
internal sealed record EarlierRecord(long Version, string Run, EarlierRecord.Contents Record)
{
    /// <summary>Whether all is there that makes a run, and each member in its place.</summary>
    [JsonIgnore]
    public bool IsWhole => Record is { Spec: not null, Data: not null, StepsPerMember: > 0, Members.IsDefaultOrEmpty: false, Snapshots.IsDefault: false }
        && Record.Members.Index().All(member => member.Item?.Index == member.Index && RecordText.NamesFiles(member.Item)) && Record.Snapshots.All(RecordText.IsFile);

    public StoredRun Migrated()
    {
        var snapshots = Record.Snapshots.ToLookup(snapshot => snapshot.Member);
        var record = new RunRecord
        {
            State = Record.State, Reason = Record.Reason, Spec = Record.Spec, Data = Record.Data,
            Loads = MemberLoads.Same(Record.Members.Length, new MemberLoad(Record.StepsPerMember, Record.StepsPerEpoch)),
            Machine = Record.Machine, Exact = Record.Exact, TrainSeconds = Record.TrainSeconds,
            Members = [.. Record.Members.Select(member => member with { Snapshots = [.. snapshots[member.Index].OrderBy(snapshot => snapshot.Step)] })],
        };
        return new StoredRun(record, new RecordVersion(Version, null));
    }

    internal sealed record Contents
    {
        public RunState State { get; init; }
        public string? Reason { get; init; }
        public string Spec { get; init; } = "";
        public string Data { get; init; } = "";
        public int StepsPerMember { get; init; }
        public int StepsPerEpoch { get; init; }
        public MachineInfo? Machine { get; init; }
        public bool Exact { get; init; } = true;
        public double TrainSeconds { get; init; }
        public ImmutableArray<MemberRecord> Members { get; init; } = [];
        public ImmutableArray<WeightFile> Snapshots { get; init; } = [];
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>The JSON of a record's parts, the same in files and in Redis.</summary>
internal static class RecordText
{
    private static readonly JsonSerializerOptions s_options = new(RunStatusJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static byte[] Of<T>(T part) => JsonSerializer.SerializeToUtf8Bytes(part, s_options);

    /// <exception cref="InvalidDataException">It is something else.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, string place)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, s_options) ?? throw new InvalidDataException($"{place} is damaged: it is empty.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(
                $"{place} is damaged: it is not the JSON of a run's record (line {exception.LineNumber + 1 ?? 1}, at {exception.Path ?? "$"}).", exception);
        }
    }

    /// <summary>What makes a run.</summary>
    /// <exception cref="InvalidDataException">It is something else, or not all there.</exception>
    public static RecordDefinition ReadDefinition(ReadOnlySpan<byte> json, string place)
    {
        var definition = Read<RecordDefinition>(json, place);
        if (definition is not { Spec: not null, Data: not null, Loads.IsDefaultOrEmpty: false } || definition.Loads.Any(load => load.Steps < 1))
            throw new InvalidDataException($"{place} is damaged: it does not say what makes a run.");
        // Each load stands there: a number alone could ask for any amount of memory.
        return definition.Members == definition.Loads.Length ? definition : throw new InvalidDataException(
            $"{place} is damaged: it has {definition.Members} members, and says of {definition.Loads.Length} what they take.");
    }

    /// <summary>A member, or what has changed of it.</summary>
    /// <exception cref="InvalidDataException">It is something else, or is of no such member.</exception>
    public static MemberRecord ReadMember(ReadOnlySpan<byte> json, int members, string place)
    {
        var member = Read<MemberRecord>(json, place);
        if (member.Index < 0 || member.Index >= members) throw new InvalidDataException($"{place} is damaged: it is of member {member.Index}, and there are {members}.");
        return NamesFiles(member) ? member : throw new InvalidDataException($"{place} is damaged: it names weights that cannot be.");
    }

    /// <summary>A file of weights.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public static WeightFile ReadFile(ReadOnlySpan<byte> json, string place) =>
        Read<WeightFile>(json, place) is var file && IsFile(file) ? file : throw new InvalidDataException($"{place} is damaged: it names weights that cannot be.");

    /// <summary>Whether what a member names can be files of weights.</summary>
    internal static bool NamesFiles(MemberRecord member) =>
        member is { Checkpoints.IsDefault: false, Folded.IsDefault: false, Snapshots.IsDefault: false } && member.Files.Concat(member.Folded).All(IsFile);

    internal static bool IsFile(WeightFile? file) => file is { File: not null, Sha256: not null } && RunFolder.IsPlain(file.File);

    /// <summary>One line for each member that has changed.</summary>
    public static byte[] Lines(ImmutableArray<MemberRecord> members)
    {
        using var lines = new MemoryStream();
        foreach (var member in members)
        {
            lines.Write(Of(member));
            lines.WriteByte((byte)'\n');
        }

        return lines.ToArray();
    }

    /// <exception cref="InvalidDataException">A line is damaged.</exception>
    public static MemberRecords ReadLines(ReadOnlySpan<byte> lines, int members, string place)
    {
        var known = MemberRecords.New(members).ToArray();
        for (var number = 1; !lines.IsEmpty; number++)
        {
            var end = lines.IndexOf((byte)'\n');
            if (end < 0) throw new InvalidDataException($"{place} is damaged: line {number} does not end.");
            var change = ReadMember(lines[..end], members, $"{place}, line {number},");
            known[change.Index] = known[change.Index].Then(change);
            lines = lines[(end + 1)..];
        }

        return MemberRecords.Of(known);
    }
}

/// <summary>What makes a run, as its record keeps it: written once.</summary>
internal sealed record RecordDefinition(string Spec, string Data, int Members, ImmutableArray<MemberLoad> Loads)
{
    public static RecordDefinition Of(RunRecord record, int members) => new(record.Spec, record.Data, members, record.Loads.All);
}

/// <summary>A file of a log, and how many of its bytes count.</summary>
internal sealed record LogPart(string File, long Length);

/// <summary>A record's state: small, and written anew with every change.</summary>
/// <param name="Version">Grows with every write.</param>
/// <param name="Writer">Makes the version one that nobody else can make.</param>
/// <param name="Run">The run's key: the folder may be another run's by now.</param>
internal sealed record RecordHead(long Version, string Writer, string Run)
{
    /// <summary>Of the form of the record's files.</summary>
    public int Format { get; init; } = CurrentFormat;

    public RunState State { get; init; }
    public string? Reason { get; init; }
    public MachineInfo? Machine { get; init; }
    public bool Exact { get; init; } = true;
    public double TrainSeconds { get; init; }

    /// <summary>The file of what happened to the members; null in Redis.</summary>
    public string? Log { get; init; }

    /// <summary>The file of what makes the run; null in Redis, and in records of former times.</summary>
    public string? Definition { get; init; }

    /// <summary>How many of the log's bytes count: what follows was never named.</summary>
    public long Length { get; init; }

    /// <summary>The bytes that the log had when it was last written whole.</summary>
    public long Whole { get; init; }

    /// <summary>The files that make the log where files do not grow; null is <see cref="Log"/> alone.</summary>
    public ImmutableArray<LogPart>? Parts { get; init; }

    public const int CurrentFormat = 2;

    [JsonIgnore]
    public ImmutableArray<LogPart> Files => Parts ?? (Log is null ? [] : [new LogPart(Log, Length)]);

    [JsonIgnore]
    public string DefinitionFile => Definition ?? RunFolder.RecordDefinitionFile;

    [JsonIgnore]
    public RecordVersion At => new(Version, Writer);

    public static RecordHead Of(RunKey run, RecordVersion version, RunRecord record) => new(version.Number, version.Writer!, run.ToString())
    {
        State = record.State, Reason = record.Reason, Machine = record.Machine, Exact = record.Exact, TrainSeconds = record.TrainSeconds,
    };

    public RunRecord Record(RecordDefinition definition, MemberRecords members) => new()
    {
        State = State, Reason = Reason, Machine = Machine, Exact = Exact, TrainSeconds = TrainSeconds,
        Spec = definition.Spec, Data = definition.Data, Loads = MemberLoads.Of(definition.Loads),
        Members = members,
    };
}

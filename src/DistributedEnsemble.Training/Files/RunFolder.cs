using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Training.Files;

/// <summary>
/// A run's files, and their names. Relative names use forward slashes on every system, because the record stores them.
/// </summary>
internal sealed class RunFolder
{
    public const string SpecFile = "spec.json";
    public const string DataFile = "data.json";
    public const string StatusFile = "run.json";
    public const string RecordFile = "record.json";

    /// <summary>What happened to the run, a line each; for people alone.</summary>
    public const string TimelineFile = "timeline.jsonl";
    public const string LockFile = "lock";

    /// <summary>Names the run that has the name, in a store of objects, before there is a record.</summary>
    public const string ClaimFile = "claim";

    /// <summary>What the record's state names: the definition, and the log of what happened to the members. Records of former times name no definition, and have this one.</summary>
    public const string RecordDefinitionFile = "record/definition.json", RecordLogs = "record";

    /// <summary>A file there for each removal of the run that is under way: until it is gone, nobody takes the name.</summary>
    public const string Removals = "removals";

    /// <summary>What the validation split says about choices of models.</summary>
    public const string Validations = "validation";

    /// <summary>Asks the process that holds the lock to stop the run; that process removes it.</summary>
    public const string StopRequestFile = "stop-request";

    /// <param name="runs">The folder of all runs.</param>
    /// <inheritdoc cref="RunFolder(RunStorage, string)"/>
    public RunFolder(string runs, string name) : this(new FolderStorage(runs), name)
    {
    }

    /// <param name="storage">Has all runs.</param>
    /// <param name="name">The run's name.</param>
    /// <exception cref="ArgumentException">The name is not a run's name.</exception>
    public RunFolder(RunStorage storage, string name)
    {
        if (!RunName.IsValid(name)) throw new ArgumentException($"\"{name}\" is not a run's name: {RunName.Rule}.", nameof(name));
        (Storage, Name, Root) = (storage, name, storage.PathOf(name));
    }

    /// <summary>Where it is, with all other runs.</summary>
    public RunStorage Storage { get; }

    /// <summary>Where all runs are: a folder, unless the storage is none.</summary>
    public string Runs => Storage.Place;

    /// <summary>The run's name.</summary>
    public string Name { get; }

    /// <summary>The run's own folder.</summary>
    public string Root { get; }

    public string Spec => Path(SpecFile);
    public string Data => Path(DataFile);
    public string Status => Path(StatusFile);
    public string Record => Path(RecordFile);
    public string Lock => Path(LockFile);

    public static string Metrics(int member) => $"members/{member:D2}/metrics.jsonl";
    public static string Snapshot(int member, int step) => $"members/{member:D2}/snapshots/step-{step:D8}.safetensors";

    /// <summary>Where a snapshot goes whose own name has other weights already: that attempt's evidence.</summary>
    public static string Snapshot(int member, int step, int attempt) =>
        $"members/{member:D2}/snapshots/step-{step:D8}-attempt-{attempt:D4}.safetensors";

    public static string Checkpoint(int member, int step, int attempt) =>
        $"members/{member:D2}/checkpoints/step-{step:D8}-attempt-{attempt:D4}.safetensors";

    /// <summary>What happened to the members, since the record's version that wrote all of it.</summary>
    public static string RecordLog(long version, string writer) => $"{RecordLogs}/log-{version:D10}-{writer}.jsonl";

    /// <summary>What makes a run, by the SHA-256 of it: of two that take one name at once, neither has the other's.</summary>
    public static string RecordDefinition(string sha256) => $"{RecordLogs}/definition-{sha256[..16]}.json";

    /// <summary>What the validation split says about a choice of models.</summary>
    public static string Validation(string key) => $"{Validations}/{key}.json";

    /// <summary>Weights that are only averaged, and dropped then.</summary>
    public static string HandOver(int member, int step) => $"members/{member:D2}/hand-overs/step-{step:D8}.safetensors";

    public static string Ema(int member, int step) => $"ema/{member:D2}-step-{step:D8}.safetensors";

    /// <summary>Whether a relative name is one that weights can have: a snapshot's, a checkpoint's, a hand-over's, an EMA model's.</summary>
    public static bool IsWeights(string relative) =>
        (relative.StartsWith("members/", StringComparison.Ordinal) || relative.StartsWith("ema/", StringComparison.Ordinal))
        && relative.EndsWith(".safetensors", StringComparison.Ordinal);

    /// <summary>The full path of a relative name, which must lie below this folder: the name may come from a damaged record.</summary>
    /// <exception cref="ArgumentException">The name is absolute, climbs, or is not a plain relative name.</exception>
    public string Path(string relative) => Storage.PathOf(NameOf(relative));

    /// <inheritdoc cref="RunStorage.OpenRead(string)"/>
    public Stream OpenRead(string relative) => Storage.OpenRead(NameOf(relative));

    /// <inheritdoc cref="RunStorage.OpenRead(string, long)"/>
    public Stream OpenRead(string relative, long from) => Storage.OpenRead(NameOf(relative), from);

    /// <inheritdoc cref="RunStorage.ReadAllBytes"/>
    public byte[] ReadAllBytes(string relative) => Storage.ReadAllBytes(NameOf(relative));

    /// <inheritdoc cref="RunStorage.ReadAllText"/>
    public string ReadAllText(string relative) => Storage.ReadAllText(NameOf(relative));

    /// <inheritdoc cref="RunStorage.Write{T}"/>
    public T Write<T>(string relative, Func<Stream, T> write) => Storage.Write(NameOf(relative), write);

    /// <inheritdoc cref="RunStorage.Write{T}"/>
    public void Write(string relative, ReadOnlyMemory<byte> bytes) => Storage.Write(NameOf(relative), bytes);

    /// <inheritdoc cref="RunStorage.Append"/>
    public void Append(string relative, long place, ReadOnlySpan<byte> bytes) => Storage.Append(NameOf(relative), place, bytes);

    /// <inheritdoc cref="RunStorage.Find"/>
    public StoredFile? Find(string relative) => Storage.Find(NameOf(relative));

    public bool Exists(string relative) => Storage.Exists(NameOf(relative));

    /// <inheritdoc cref="RunStorage.Delete"/>
    public void Delete(string relative) => Storage.Delete(NameOf(relative));

    /// <summary>All files of the run, by their relative names.</summary>
    public IEnumerable<StoredFile> List() => Storage.List($"{Name}/").Select(file => file with { Name = file.Name[(Name.Length + 1)..] });

    /// <summary>The full path of a file of a folder that others than the storage write.</summary>
    /// <exception cref="InvalidDataException">A folder on the way to it is a link.</exception>
    public string WritablePath(string relative)
    {
        var path = Path(relative);
        RegularFile.RefuseLinks(Runs, path);
        return path;
    }

    /// <summary>Whether a relative name is one of a file below a run's folder: it may come from a damaged record.</summary>
    public static bool IsPlain(string relative) =>
        relative.Split('/').All(part => part is not ("" or "." or "..")) && !relative.Any(c => c is '\\' or ':' || char.IsControl(c));

    private string NameOf(string relative) =>
        IsPlain(relative) ? $"{Name}/{relative}" : throw new ArgumentException($"\"{relative}\" does not name a file below the run's folder.", nameof(relative));
}

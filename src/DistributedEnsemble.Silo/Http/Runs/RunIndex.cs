using System.Collections.Immutable;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Silo.Http;

/// <summary>The runs of a folder by their run.json, which follows the record within a second; read again when the file has changed.</summary>
internal sealed class RunIndex(string runsFolder, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (DateTime Written, RunStatus? Status)> _read = [];
    private ImmutableSortedDictionary<string, RunStatus> _runs = ImmutableSortedDictionary<string, RunStatus>.Empty.WithComparers(StringComparer.Ordinal);
    private long? _listedAt;

    public static string InWords(RunState state) => state.ToString().ToLowerInvariant();

    /// <param name="oldest">How old the answer may be.</param>
    public IEnumerable<RunStatus> List(TimeSpan oldest) => Runs(oldest).Values;

    public RunStatus? Find(string name, TimeSpan oldest) => Runs(oldest).GetValueOrDefault(name);

    /// <summary>The run's resolved spec and the description of its data, as its folder has them.</summary>
    /// <exception cref="IOException">A file is missing.</exception>
    public RunDefinition DefinitionOf(RunStatus status)
    {
        var folder = new RunFolder(runsFolder, status.Run);
        return new RunDefinition(File.ReadAllText(folder.Spec), File.ReadAllText(folder.Data));
    }

    private ImmutableSortedDictionary<string, RunStatus> Runs(TimeSpan oldest)
    {
        lock (_lock)
        {
            if (_listedAt is { } at && time.GetElapsedTime(at) < oldest) return _runs;
            var names = Directory.Exists(runsFolder)
                ? Directory.EnumerateDirectories(runsFolder).Select(folder => Path.GetFileName(folder)).Where(RunName.IsValid).ToList()
                : [];
            foreach (var gone in _read.Keys.Except(names).ToList()) _read.Remove(gone);
            _runs = names.Select(Read).OfType<RunStatus>().ToImmutableSortedDictionary(status => status.Run, status => status, StringComparer.Ordinal);
            _listedAt = time.GetTimestamp();
            return _runs;
        }
    }

    private RunStatus? Read(string name)
    {
        var folder = new RunFolder(runsFolder, name);
        var written = File.GetLastWriteTimeUtc(folder.Status);
        if (_read.TryGetValue(name, out var known) && known.Written == written) return known.Status;
        var status = Parse(folder);
        _read[name] = (written, status);
        return status;
    }

    /// <returns>Null for a folder that holds no run: others may be served all the same.</returns>
    private static RunStatus? Parse(RunFolder folder)
    {
        try
        {
            return RunStatusFile.Read(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }
}

using System.Collections.Immutable;
using System.Text.Json;
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
        var file = new RunFolder(runsFolder, name).Status;
        var written = File.GetLastWriteTimeUtc(file);
        if (_read.TryGetValue(name, out var known) && known.Written == written) return known.Status;
        var status = Parse(file, name);
        _read[name] = (written, status);
        return status;
    }

    /// <returns>Null for a folder that holds no run: others may be served all the same.</returns>
    private static RunStatus? Parse(string file, string name)
    {
        try
        {
            var status = RunStatusJson.FromJson(File.ReadAllText(file));
            return status.Run == name && !status.Members.IsDefaultOrEmpty ? status : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Silo.Http.Metrics;

/// <summary>
/// The metric lines of runs, in memory once they were asked for, and read on as the files grow. The least recently asked for go
/// first where they are too many.
/// </summary>
internal sealed class MetricHistory(string runsFolder)
{
    private const long MostBytes = 128L << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<(RunKey Run, int Member), Entry> _entries = [];
    private long _uses;

    /// <summary>Asks one member's lines, brought up to date first.</summary>
    /// <returns>The default where the member has no lines yet, or none that can be read.</returns>
    public T? Ask<T>(RunKey run, int member, Func<MetricSeries, T> ask)
    {
        var entry = EntryOf(run, member);
        lock (entry.Series)
        {
            if (!TryReadOn(run, member, entry.Series)) return default;
            var answer = ask(entry.Series);
            entry.Bytes = entry.Series.Bytes;
            return answer;
        }
    }

    private Entry EntryOf(RunKey run, int member)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue((run, member), out var entry))
            {
                MakeRoom();
                _entries[(run, member)] = entry = new Entry();
            }

            entry.Used = ++_uses;
            return entry;
        }
    }

    private void MakeRoom()
    {
        var bytes = _entries.Values.Sum(entry => entry.Bytes);
        foreach (var (key, entry) in _entries.OrderBy(entry => entry.Value.Used).ToList())
        {
            if (bytes <= MostBytes) return;
            _entries.Remove(key);
            bytes -= entry.Bytes;
        }
    }

    private bool TryReadOn(RunKey run, int member, MetricSeries series)
    {
        var folder = new RunFolder(runsFolder, run.Name);
        try
        {
            using var file = RegularFile.OpenRead(folder.Runs, folder.Path(RunFolder.Metrics(member)));
            series.ReadOn(file);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or System.Text.Json.JsonException)
        {
            return series.Count > 0;
        }
    }

    private sealed class Entry
    {
        public MetricSeries Series { get; } = new();

        public long Bytes { get; set; }

        public long Used { get; set; }
    }
}

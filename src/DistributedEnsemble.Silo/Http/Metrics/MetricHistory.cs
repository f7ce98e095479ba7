using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Silo.Http.Metrics;

/// <summary>
/// The metric lines of runs, in memory once they were asked for, and read on as the files grow. The least recently asked for go
/// first where they are too many.
/// </summary>
internal sealed class MetricHistory(RunStorage storage)
{
    private const long MostBytes = 128L << 20;

    /// <summary>For which lines that somebody else reads are waited for.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(RunKey Run, int Member), Entry> _entries = [];
    private long _uses;
    private Task _reading = Task.CompletedTask;

    /// <summary>Asks one member's lines, brought up to date first.</summary>
    /// <returns>The default where the member has no lines yet, or none that can be read.</returns>
    public T? Ask<T>(RunKey run, int member, Func<MetricSeries, T> ask)
    {
        var entry = EntryOf(run, member);
        lock (entry.Series)
        {
            using var file = TryOpen(run, member, entry.Series.BytesRead);
            return TryReadOn(file, entry) ? ask(entry.Series) : default;
        }
    }

    /// <summary>
    /// Asks one member's lines, or some of them where more have to be read first than there is time for: all are then read behind this
    /// answer, for those who ask again.
    /// </summary>
    /// <param name="mostBytes">What is read of the file.</param>
    /// <param name="sample">Takes some lines of it.</param>
    /// <returns>The default where the member has no lines yet, or none that can be read; and whether these were but some.</returns>
    public (T? Answer, bool IsSampled) AskSoon<T>(RunKey run, int member, long mostBytes, Func<Stream, MetricSeries> sample, Func<MetricSeries, T> ask)
    {
        var entry = EntryOf(run, member);
        if (Monitor.TryEnter(entry.Series, s_patience))
        {
            try
            {
                using var file = TryOpen(run, member, entry.Series.BytesRead);
                if (file is null || entry.Series.Unread(file.Length) <= mostBytes) return (TryReadOn(file, entry) ? ask(entry.Series) : default, false);
            }
            finally
            {
                Monitor.Exit(entry.Series);
            }
        }

        ReadBehind(run, member, entry);
        using var sampled = TryOpen(run, member, from: 0);
        return (sampled is not null && Try(() => sample(sampled)) is { Count: > 0 } some ? ask(some) : default, true);
    }

    /// <summary>One file after the other: they all want the same disk and processor.</summary>
    private void ReadBehind(RunKey run, int member, Entry entry)
    {
        lock (_lock)
        {
            if (entry.IsWaiting) return;
            entry.IsWaiting = true;
            _reading = _reading.ContinueWith(
                _ =>
                {
                    lock (entry.Series)
                    {
                        using var file = TryOpen(run, member, entry.Series.BytesRead);
                        TryReadOn(file, entry);
                    }

                    lock (_lock) entry.IsWaiting = false;
                },
                CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
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

    /// <param name="file">Null where there is none, or none that can be read.</param>
    private static bool TryReadOn(Stream? file, Entry entry)
    {
        var hasRead = file is not null && Try<object>(() =>
        {
            entry.Series.ReadOn(file);
            return entry;
        }) is not null;
        entry.Bytes = entry.Series.Bytes;
        return hasRead || entry.Series.Count > 0;
    }

    private Stream? TryOpen(RunKey run, int member, long from)
    {
        var folder = new RunFolder(storage, run.Name);
        return Try(() => folder.OpenRead(RunFolder.Metrics(member), from));
    }

    /// <returns>Null where the file cannot be read, or is none of metric lines.</returns>
    private static T? Try<T>(Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            return null;
        }
    }

    private sealed class Entry
    {
        public MetricSeries Series { get; } = new();

        public long Bytes { get; set; }

        public long Used { get; set; }

        /// <summary>Whether all of its lines are going to be read.</summary>
        public bool IsWaiting { get; set; }
    }
}

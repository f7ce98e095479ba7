using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Metrics;

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

    /// <summary>Asks one member's lines, brought up to date first, or as somebody else has read them by now.</summary>
    /// <returns>The default where the member has no lines yet, or none that can be read.</returns>
    public T? Ask<T>(RunKey run, int member, Func<MetricSeries, T> ask)
    {
        var entry = EntryOf(run, member);
        TryReadOn(run, member, entry, s_patience, long.MaxValue);
        return AskOf(entry.Series, ask);
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
        if (TryReadOn(run, member, entry, s_patience, mostBytes)) return (AskOf(entry.Series, ask), false);
        ReadBehind(run, member, entry);
        using var sampled = TryOpen(run, member, from: 0);
        return (sampled is not null && Try(() => sample(sampled)) is { } some ? AskOf(some, ask) : default, true);
    }

    private static T? AskOf<T>(MetricSeries series, Func<MetricSeries, T> ask) =>
        series.Ask(lines => lines.Count > 0 ? ask(lines) : default);

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
                    try
                    {
                        TryReadOn(run, member, entry, Timeout.InfiniteTimeSpan, long.MaxValue);
                    }
                    finally
                    {
                        lock (_lock) entry.IsWaiting = false;
                    }
                },
                CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>Reads the file on, as far as it can be read; nobody who asks waits for it.</summary>
    /// <param name="patience">For which another reader of it is waited for.</param>
    /// <returns>Whether nothing is left to read: false if another reads it, or if that were more than <paramref name="mostBytes"/>.</returns>
    private bool TryReadOn(RunKey run, int member, Entry entry, TimeSpan patience, long mostBytes)
    {
        if (!Monitor.TryEnter(entry.Reader, patience)) return false;
        try
        {
            using var file = TryOpen(run, member, entry.Series.BytesRead);
            if (file is null) return true;
            if (entry.Series.Unread(file.Length) > mostBytes) return false;
            Try<object>(() =>
            {
                entry.Series.ReadOn(file);
                return entry;
            });
            entry.Bytes = entry.Series.Bytes;
            return true;
        }
        finally
        {
            Monitor.Exit(entry.Reader);
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
        // A name that is not Unicode is no valid operation.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private sealed class Entry
    {
        public MetricSeries Series { get; } = new();

        /// <summary>Held by whoever reads the file, and by nobody else.</summary>
        public object Reader { get; } = new();

        public long Bytes { get; set; }

        public long Used { get; set; }

        /// <summary>Whether all of its lines are going to be read.</summary>
        public bool IsWaiting { get; set; }
    }
}

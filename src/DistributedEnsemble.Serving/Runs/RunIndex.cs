using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Runs;

/// <summary>
/// The runs by their run.json, which follows the record within a second, or some in a store of objects. A task of its own reads what has changed,
/// file by file, so that no request waits for a disk: one file that hangs leaves its own run as it was, and no other.
/// </summary>
internal sealed class RunIndex : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500), s_patience = TimeSpan.FromSeconds(2), s_objects = TimeSpan.FromSeconds(3);

    /// <summary>To look at an object costs something: of a run that has ended it is looked at now and then.</summary>
    private const int EndedEvery = 20;

    private static readonly ImmutableSortedDictionary<string, RunStatus> s_none = ImmutableSortedDictionary.Create<string, RunStatus>(StringComparer.Ordinal);

    private readonly RunStorage _storage;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly Task _refreshing;
    private volatile ImmutableSortedDictionary<string, RunStatus> _runs = s_none;

    private RunIndex(RunStorage storage, TimeProvider time)
    {
        (_storage, _time) = (storage, time);
        First = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _refreshing = Task.Run(RefreshAsync);
    }

    /// <summary>Is raised with the name of each run that is another than before, or gone.</summary>
    public event Action<string>? Changed;

    private TaskCompletionSource First { get; }

    /// <summary>An index that has been read once, or that goes on reading if that takes long.</summary>
    public static async Task<RunIndex> StartAsync(RunStorage storage, TimeProvider time, CancellationToken cancellation)
    {
        var index = new RunIndex(storage, time);
        await Task.WhenAny(index.First.Task, Task.Delay(s_patience, time, cancellation));
        return index;
    }

    public static string InWords(RunState state) => state.ToString().ToLowerInvariant();

    /// <summary>By name.</summary>
    public IEnumerable<RunStatus> List() => _runs.Values;

    public RunStatus? Find(string name) => _runs.GetValueOrDefault(name);

    public async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested) return;
        await _end.CancelAsync();
        // A file that hangs would hang its reader for ever.
        await Task.WhenAny(_refreshing, Task.Delay(s_patience, _time));
    }

    private async Task RefreshAsync()
    {
        using var timer = new PeriodicTimer(_storage.Grows ? s_interval : s_objects, _time);
        try
        {
            do
            {
                await ReadAllAsync();
                First.TrySetResult();
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }

    private async Task ReadAllAsync()
    {
        foreach (var gone in _entries.Keys.Except(Names()).ToList()) _entries.Remove(gone);
        var pass = new Pass([.. _entries.Values.Where(entry => !entry.IsBeingRead)]);
        // On a thread of its own: a disk that hangs takes none of those that answer requests.
        var reading = Task.Factory.StartNew(pass.Read, TaskCreationOptions.LongRunning);
        while (!reading.IsCompleted && !pass.IsAbandoned)
        {
            var done = pass.Done;
            await Task.WhenAny(reading, Task.Delay(s_patience, _time, _end.Token));
            if (!reading.IsCompleted && pass.Done == done) pass.Abandon();
        }

        var before = _runs;
        _runs = _entries.Values.Select(entry => entry.Status).OfType<RunStatus>().ToImmutableSortedDictionary(status => status.Run, status => status, StringComparer.Ordinal);
        if (Changed is not { } changed) return;
        foreach (var name in before.Keys.Union(_runs.Keys)) if (!ReferenceEquals(before.GetValueOrDefault(name), _runs.GetValueOrDefault(name))) changed(name);
    }

    /// <summary>Of the folders there are, each with an entry.</summary>
    private List<string> Names()
    {
        try
        {
            var names = _storage.Folders().Where(RunName.IsValid).ToList();
            foreach (var name in names) if (!_entries.ContainsKey(name)) _entries[name] = new Entry(new RunFolder(_storage, name));
            return names;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [.. _entries.Keys];
        }
    }

    /// <summary>Reads runs one after the other, until one of them hangs: then the next pass goes on without it.</summary>
    private sealed class Pass(ImmutableArray<Entry> entries)
    {
        private volatile int _done;
        private volatile bool _isAbandoned;

        public int Done => _done;

        public bool IsAbandoned => _isAbandoned;

        public void Read()
        {
            foreach (var entry in entries)
            {
                if (_isAbandoned) return;
                entry.Read();
                _done++;
            }
        }

        public void Abandon() => _isAbandoned = true;
    }

    /// <summary>A run's folder, and what it said last.</summary>
    private sealed class Entry(RunFolder folder)
    {
        private StoredFile? _written;
        private int _passes;
        private volatile RunStatus? _status;
        private volatile bool _isBeingRead;

        /// <summary>Null for a folder that holds no run: others may be served all the same.</summary>
        public RunStatus? Status => _status;

        /// <summary>Whether a pass hangs at it.</summary>
        public bool IsBeingRead => _isBeingRead;

        /// <summary>Reads the file if it has changed.</summary>
        public void Read()
        {
            _isBeingRead = true;
            try
            {
                if (!folder.Storage.Grows && _status is { HasEnded: true } && ++_passes % EndedEvery != 0) return;
                var written = Find();
                if (written == _written) return;
                _status = Parse();
                _written = written;
            }
            finally
            {
                _isBeingRead = false;
            }
        }

        private StoredFile? Find()
        {
            try
            {
                return folder.Find(RunFolder.StatusFile);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return _written;
            }
        }

        private RunStatus? Parse()
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
}

namespace DistributedEnsemble.Grains.Plans;

/// <summary>
/// Values that several users share: each is made once, whoever asks for it at the same time, and freed when nobody has used it for
/// a while. A failure to make one is not kept.
/// </summary>
/// <param name="linger">How long a value stays after its last user: the next one may be about to come.</param>
/// <param name="free">Frees a value.</param>
internal sealed class SharedValues<TKey, TValue>(TimeSpan linger, TimeProvider time, Action<TValue> free) : IDisposable
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Entry> _entries = [];
    private ITimer? _timer;
    private bool _isDisposed;

    /// <summary>Values that are kept, used or not.</summary>
    public int Count
    {
        get { lock (_lock) return _entries.Count; }
    }

    /// <summary>The value of a key, for as long as the loan is not disposed.</summary>
    public Loan Take(TKey key, Func<TValue> make)
    {
        Entry? entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry)) _entries[key] = entry = new Entry(key, new Lazy<TValue>(make));
            entry.Users++;
        }

        try
        {
            return new Loan(this, entry, entry.Value.Value);
        }
        catch
        {
            Return(entry, isOver: true);
            throw;
        }
    }

    /// <summary>The value of a key; null if it is not in memory.</summary>
    public Loan? TakeMade(TKey key)
    {
        Entry? entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry) || !entry.Value.IsValueCreated) return null;
            entry.Users++;
        }

        return new Loan(this, entry, entry.Value.Value);
    }

    /// <summary>Frees what nobody uses; what is used is freed when it comes back.</summary>
    public void Dispose()
    {
        List<Entry> unused;
        lock (_lock)
        {
            _isDisposed = true;
            _timer?.Dispose();
            unused = TakeOut(entry => entry.Users == 0);
        }

        FreeAll(unused);
    }

    private void Return(Entry entry, bool isOver)
    {
        List<Entry> unused;
        lock (_lock)
        {
            entry.Users--;
            entry.UnusedSince = time.GetTimestamp();
            unused = isOver || _isDisposed ? TakeOut(other => other == entry && entry.Users == 0) : [];
            if (entry.Users == 0 && unused.Count == 0) WakeIn(linger);
        }

        FreeAll(unused);
    }

    private void Sweep()
    {
        List<Entry> unused;
        lock (_lock)
        {
            if (_isDisposed) return;
            unused = TakeOut(entry => entry.Users == 0 && time.GetElapsedTime(entry.UnusedSince) >= linger);
            if (_entries.Values.Any(entry => entry.Users == 0)) WakeIn(linger);
        }

        FreeAll(unused);
    }

    private void WakeIn(TimeSpan due)
    {
        if (_timer is null) _timer = time.CreateTimer(_ => Sweep(), null, due, Timeout.InfiniteTimeSpan);
        else _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private List<Entry> TakeOut(Func<Entry, bool> choice)
    {
        var chosen = _entries.Values.Where(choice).ToList();
        foreach (var entry in chosen) _entries.Remove(entry.Key);
        return chosen;
    }

    private void FreeAll(List<Entry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Value.IsValueCreated) free(entry.Value.Value);
        }
    }

    /// <summary>One use of a value.</summary>
    public sealed class Loan : IDisposable
    {
        private readonly SharedValues<TKey, TValue> _owner;
        private readonly Entry _entry;
        private int _isReturned;

        internal Loan(SharedValues<TKey, TValue> owner, Entry entry, TValue value) => (_owner, _entry, Value) = (owner, entry, value);

        public TValue Value { get; }

        /// <summary>Ends the use; the value stays for a while.</summary>
        public void Dispose() => Return(isOver: false);

        /// <summary>Ends the use; without other users the value is freed at once, since no next one is expected.</summary>
        public void Drop() => Return(isOver: true);

        private void Return(bool isOver)
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0) _owner.Return(_entry, isOver);
        }
    }

    internal sealed class Entry(TKey key, Lazy<TValue> value)
    {
        public TKey Key => key;
        public Lazy<TValue> Value => value;
        public int Users { get; set; }
        public long UnusedSince { get; set; }
    }
}

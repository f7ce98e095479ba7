using System.Diagnostics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The threads of one member: the calling one and some helpers, which do parts of a kernel's work. What an element of a result
/// is computed from does not depend on who does it, so neither do its bits.
/// </summary>
/// <remarks>Helpers start with the first work, and have the priority of the thread that brings it. One caller at a time.</remarks>
internal sealed class Team : IDisposable
{
    /// <summary>How long a thread looks for news before it leaves its core to others: longer than what lies between two parts of most steps.</summary>
    private static readonly long s_patience = Stopwatch.Frequency / 20_000;

    private readonly Helper[] _helpers;
    private readonly Sleeper _caller;
    private Action<int, int>? _work;
    private Exception? _failure;
    private int _pending;
    private volatile int _round;
    private volatile bool _isClosed;

    private Team(int threads) => (_helpers, _caller) = (new Helper[threads - 1], new Sleeper());

    /// <summary>One thread, which does everything itself.</summary>
    public static Team Alone { get; } = new(1);

    /// <param name="threads">The caller's among them.</param>
    public static Team Of(int threads) => threads == 1 ? Alone : new Team(threads);

    public int Threads => _helpers.Length + 1;

    /// <summary>Does all parts of some work, one on each thread.</summary>
    /// <param name="work">Is given a part and their number.</param>
    public void Run(Action<int, int> work)
    {
        if (_helpers.Length == 0)
        {
            work(0, 1);
            return;
        }

        if (_helpers[0] is null) Start();
        (_work, _failure) = (work, null);
        Volatile.Write(ref _pending, _helpers.Length);
        Interlocked.Increment(ref _round);
        foreach (var helper in _helpers) helper.Sleeper.Wake();
        try
        {
            work(0, Threads);
        }
        finally
        {
            // The helpers work in memory of the caller's.
            while (Volatile.Read(ref _pending) != 0) _caller.Wait(this, static team => Volatile.Read(ref team._pending) == 0);
        }

        if (_failure is { } failure) throw new InvalidOperationException("A part of a kernel's work failed.", failure);
    }

    /// <summary>Does all parts of some work on a number of elements; a thread alone is done with few before another has begun.</summary>
    public void RunParts(long elements, Action<int, int> work)
    {
        const int Few = 1 << 17;
        if (elements < Few) work(0, 1);
        else Run(work);
    }

    /// <summary>Where a part of some elements begins; each but the last has whole units.</summary>
    public static int Place(int length, int unit, int part, int parts) =>
        (int)Math.Min(length, (long)((length + unit - 1) / unit) * part / parts * unit);

    public void Dispose()
    {
        if (_helpers.Length == 0) return;
        _isClosed = true;
        Interlocked.Increment(ref _round);
        foreach (var helper in _helpers)
        {
            helper?.Sleeper.Wake();
            helper?.Thread.Join();
            helper?.Sleeper.Dispose();
        }

        _caller.Dispose();
    }

    private void Start()
    {
        for (var i = 0; i < _helpers.Length; i++)
        {
            var part = i + 1;
            var sleeper = new Sleeper();
            var thread = new Thread(() => Help(part, sleeper)) { Name = $"{Thread.CurrentThread.Name} helper {part}", IsBackground = true };
            _helpers[i] = new Helper(thread, sleeper);
        }

        foreach (var helper in _helpers) helper.Thread.Start();
    }

    private void Help(int part, Sleeper sleeper)
    {
        for (var seen = 0; ;)
        {
            while (_round == seen) sleeper.Wait((this, seen), static state => state.Item1._round != state.seen);
            seen++;
            if (_isClosed) return;
            try
            {
                _work!(part, Threads);
            }
            catch (Exception exception)
            {
                _failure = exception;
            }

            if (Interlocked.Decrement(ref _pending) == 0) _caller.Wake();
        }
    }

    private sealed record Helper(Thread Thread, Sleeper Sleeper);

    /// <summary>Where one thread waits for others: awake at first, since most waits are short.</summary>
    private sealed class Sleeper : IDisposable
    {
        private readonly AutoResetEvent _event = new(false);
        private int _isAsleep;

        /// <summary>Returns when the condition may hold.</summary>
        public void Wait<T>(T state, Func<T, bool> isOver)
        {
            for (var end = Stopwatch.GetTimestamp() + s_patience; Stopwatch.GetTimestamp() < end;)
            {
                for (var i = 0; i < 20; i++)
                {
                    if (isOver(state)) return;
                    Thread.SpinWait(1);
                }
            }

            Interlocked.Exchange(ref _isAsleep, 1);
            // Who has taken the mark away has set the event, or is about to.
            if (!isOver(state) || Interlocked.Exchange(ref _isAsleep, 0) == 0) _event.WaitOne();
        }

        /// <summary>Whatever was written before is seen by the thread that wakes up.</summary>
        public void Wake()
        {
            if (Interlocked.Exchange(ref _isAsleep, 0) == 1) _event.Set();
        }

        public void Dispose() => _event.Dispose();
    }
}

using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Grains;

/// <summary>
/// The lanes of a silo: training runs on threads of their own, so that grains, probes and predictions are never kept waiting.
/// The work belongs to the silo, not to the grain that brought it: a new activation finds it again.
/// </summary>
internal sealed partial class LanePool(EnsembleTrainingOptions options) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<(MemberWork Work, Thread Thread)> _works = [];
    private volatile bool _isClosed;

    /// <summary>Lanes that take work: none when the silo leaves.</summary>
    public int Lanes => _isClosed ? 0 : options.Lanes;

    /// <summary>Raised after work began or ended.</summary>
    public event Action? Changed;

    public ImmutableArray<MemberWork> Works
    {
        get { lock (_lock) return [.. _works.Select(entry => entry.Work)]; }
    }

    public MemberWork? Find(RunKey run, int member) => Works.FirstOrDefault(work => work.Run == run && work.Attempt.Member == member);

    /// <summary>Starts the work on free lanes.</summary>
    /// <returns>False if there are not enough.</returns>
    public bool TryStart(MemberWork work)
    {
        lock (_lock)
        {
            var used = _works.SelectMany(entry => entry.Work.LaneNumbers).ToHashSet();
            var free = Enumerable.Range(0, options.Lanes).Where(lane => !used.Contains(lane)).Take(work.Threads).ToImmutableArray();
            if (_isClosed || free.Length < work.Threads) return false;
            work.LaneNumbers = free;
            var thread = new Thread(() => Run(work)) { Name = $"lane {free[0]}", IsBackground = true };
            _works.Add((work, thread));
            thread.Start();
        }

        Changed?.Invoke();
        return true;
    }

    /// <summary>Takes no more work, and lets each take a checkpoint and leave.</summary>
    /// <returns>When all have left.</returns>
    public async Task HandOverAsync(CancellationToken cancellation)
    {
        Thread[] threads;
        lock (_lock)
        {
            _isClosed = true;
            threads = [.. _works.Select(entry => entry.Thread)];
            foreach (var (work, _) in _works) work.Stop();
        }

        Changed?.Invoke();
        await Task.Run(() => Array.ForEach(threads, thread => thread.Join()), CancellationToken.None).WaitAsync(cancellation);
    }

    /// <summary>Stops all work at its next step, without a checkpoint, and waits for the threads.</summary>
    public void Dispose()
    {
        Thread[] threads;
        lock (_lock)
        {
            _isClosed = true;
            threads = [.. _works.Select(entry => entry.Thread)];
            foreach (var (work, _) in _works) work.Abandon();
        }

        foreach (var thread in threads) thread.Join();
    }

    private void Run(MemberWork work)
    {
        LowerPriority();
        Measurements.LanesBusy.Add(work.Threads);
        try
        {
            work.Train();
        }
        finally
        {
            ReturnMemory();
            Measurements.LanesBusy.Add(-work.Threads);
            lock (_lock) _works.RemoveAll(entry => entry.Work == work);
            Changed?.Invoke();
        }
    }

    /// <summary>Predictions and the cluster's probes come first: a thread may lower its own priority without privilege.</summary>
    private static void LowerPriority()
    {
        const int Thread = 0, Nice = 10;
        if (OperatingSystem.IsLinux()) _ = SetPriority(Thread, GetThreadId(), Nice);
        else System.Threading.Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
    }

    /// <summary>
    /// glibc keeps what a thread freed for that thread's next allocations; the lane's next member has a thread of its own, and
    /// memory would grow with the members.
    /// </summary>
    private static void ReturnMemory()
    {
        if (OperatingSystem.IsLinux()) _ = TrimMalloc(0);
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimMalloc(nuint keep);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();
}

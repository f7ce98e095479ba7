using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Grains.Lanes;

/// <summary>
/// One training thread of a silo. The members that follow each other on the lane share it: glibc keeps what a thread freed
/// for that thread's next allocations, and with a thread for each member memory would grow with the members.
/// </summary>
internal sealed partial class Lane : IDisposable
{
    private readonly BlockingCollection<(Action Work, TaskCompletionSource Ended)> _queue = [];
    private readonly LanePriority _priority;
    private readonly Thread _thread;

    public Lane(int number, LanePriority priority)
    {
        _priority = priority;
        _thread = new Thread(RunAll) { Name = $"lane {number}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Runs the work after what the lane was given before.</summary>
    /// <returns>When it has ended.</returns>
    /// <exception cref="Exception">What the work threw.</exception>
    public Task RunAsync(Action work)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((work, ended));
        return ended.Task;
    }

    /// <summary>Finishes what it was given, and ends the thread.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
    }

    private void RunAll()
    {
        LowerPriority();
        foreach (var (work, ended) in _queue.GetConsumingEnumerable())
        {
            try
            {
                work();
                ReturnMemory();
                ended.SetResult();
            }
            catch (Exception exception)
            {
                // The next member may be well: the thread goes on, and with it the process.
                ended.SetException(exception);
            }
        }
    }

    /// <summary>Predictions and the cluster's probes come first: a thread may lower its own priority without privilege.</summary>
    private void LowerPriority()
    {
        const int ThisThread = 0, Nice = 10, Idle = 5;
        try
        {
            if (!OperatingSystem.IsLinux()) Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
            else if (_priority == LanePriority.Low || SetScheduler(ThisThread, Idle, new SchedulingParameter()) != 0)
                _ = SetPriority(ThisThread, GetThreadId(), Nice);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // A C library that is not glibc: the lane trains at the priority that it has.
        }
    }

    /// <summary>The next member may need less, or never come.</summary>
    private static void ReturnMemory()
    {
        try
        {
            if (OperatingSystem.IsLinux()) _ = TrimMalloc(0);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library that keeps nothing back.
        }
    }

    /// <summary>struct sched_param: its only field means nothing to ordinary threads.</summary>
    private struct SchedulingParameter
    {
        public int Priority;
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetScheduler(int thread, int policy, in SchedulingParameter parameter);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimMalloc(nuint keep);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();
}

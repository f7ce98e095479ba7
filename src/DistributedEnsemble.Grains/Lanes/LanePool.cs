using System.Collections.Immutable;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Lanes;

/// <summary>
/// The lanes of a silo: training runs on threads of their own, so that grains, probes and predictions are never kept waiting.
/// The work belongs to the silo, not to the grain that brought it: a new activation finds it again.
/// </summary>
internal sealed class LanePool(EnsembleTrainingOptions options, PredictionThreads predictions, ILogger<LanePool> log) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, Lane> _lanes = [];
    private readonly List<(LaneWork Work, Task Ended)> _works = [];
    private readonly SortedSet<int> _free = [.. Enumerable.Range(0, options.Lanes)];
    private volatile bool _isClosed;

    /// <summary>Lanes that take work: none when the silo leaves.</summary>
    public int Lanes => _isClosed ? 0 : options.Lanes;

    /// <summary>Raised after work began or ended.</summary>
    public event Action? Changed;

    public ImmutableArray<LaneWork> Works
    {
        get { lock (_lock) return [.. _works.Select(entry => entry.Work)]; }
    }

    public LaneWork? Find(RunKey run, int member)
    {
        lock (_lock)
        {
            foreach (var (work, _) in _works)
            {
                if (work.Attempt.Member == member && work.Run == run) return work;
            }
        }

        return null;
    }

    /// <summary>Starts the work on free lanes.</summary>
    /// <returns>False if there are not enough.</returns>
    public bool TryStart(LaneWork work)
    {
        lock (_lock)
        {
            if (_isClosed || _free.Count < work.Threads) return false;
            work.LaneNumbers = [.. _free.Take(work.Threads)];
            _free.ExceptWith(work.LaneNumbers);
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _works.Add((work, ended.Task));
            _ = RunAsync(work, work.RunAsync(() => LaneOf(work.LaneNumbers[0]), YieldCore), ended);
        }

        Changed?.Invoke();
        return true;
    }

    /// <summary>Takes no more work, and lets each take a checkpoint and leave.</summary>
    /// <returns>When all have left.</returns>
    public async Task HandOverAsync(CancellationToken cancellation)
    {
        Task[] ends;
        lock (_lock)
        {
            _isClosed = true;
            ends = [.. _works.Select(entry => entry.Ended)];
            foreach (var (work, _) in _works) work.Stop();
        }

        Changed?.Invoke();
        await Task.WhenAll(ends).WaitAsync(cancellation);
    }

    /// <summary>Stops all work at its next step, without a checkpoint, and waits for the threads.</summary>
    public void Dispose()
    {
        Lane[] lanes;
        lock (_lock)
        {
            _isClosed = true;
            lanes = [.. _lanes.Values];
            _lanes.Clear();
            foreach (var (work, _) in _works) work.Abandon();
        }

        foreach (var lane in lanes) lane.Dispose();
    }

    /// <summary>
    /// The kernel may leave a lane its core until the next tick (4 ms), although the thread that has woken up there comes first.
    /// Only while predictions are asked for: beside another program a lane that yields gets less than its share.
    /// </summary>
    private void YieldCore()
    {
        if (predictions.AreInDemand) Thread.Yield();
    }

    private Lane LaneOf(int number) => _lanes.TryGetValue(number, out var lane) ? lane : _lanes[number] = new Lane(number, options.LanePriority);

    private async Task RunAsync(LaneWork work, Task running, TaskCompletionSource ended)
    {
        Measurements.LanesBusy.Add(work.Threads);
        try
        {
            // Beside the grain that brought it.
            await running.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // It could not even tell that it failed: its coordinator misses it after a while, and gives the member to another lane.
            log.LaneBroke(exception, work.Run, work.Attempt.Member);
        }
        finally
        {
            Measurements.LanesBusy.Add(-work.Threads);
            lock (_lock)
            {
                _works.RemoveAll(entry => entry.Work == work);
                _free.UnionWith(work.LaneNumbers);
            }

            ended.SetResult();
            Changed?.Invoke();
        }
    }
}

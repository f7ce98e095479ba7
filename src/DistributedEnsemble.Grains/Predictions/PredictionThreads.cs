using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// A silo's own threads for predictions: never a lane, and never a thread that grains run on. What is
/// served comes before what is evaluated. Both wait in bounded queues: a served prediction that finds its queue full is
/// refused at once, an evaluation waits for room.
/// </summary>
internal sealed class PredictionThreads : IDisposable
{
    /// <summary>Work that waits for each thread.</summary>
    private const int QueuedPerThread = 64;

    private const long NoDemand = long.MinValue;

    /// <summary>Whoever has just asked is about to ask again.</summary>
    private static readonly TimeSpan s_demand = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Queue<Action> _served = [], _evaluated = [];
    private readonly HashSet<Action> _whenIdle = [];
    private readonly SemaphoreSlim _waiting = new(0), _room;
    private readonly int _capacity;
    private readonly Thread[] _threads;
    private readonly TimeProvider _time;
    private int _busy;
    private long _demandEnds = NoDemand;
    private bool _isClosed;

    public PredictionThreads(EnsembleTrainingOptions options, TimeProvider time)
    {
        _time = time;
        _capacity = QueuedPerThread * options.Prediction.Threads;
        _room = new SemaphoreSlim(_capacity);
        _threads = [.. Enumerable.Range(0, options.Prediction.Threads).Select(i => new Thread(Work) { Name = $"prediction {i}", IsBackground = true })];
        foreach (var thread in _threads) thread.Start();
    }

    public int Count => _threads.Length;

    /// <summary>Whether something was served within the last moments. Lanes ask several times in a step of some microseconds: the clock is read only after something was.</summary>
    public bool AreInDemand
    {
        get
        {
            var ends = Volatile.Read(ref _demandEnds);
            if (ends == NoDemand) return false;
            if (_time.GetTimestamp() < ends) return true;
            Interlocked.CompareExchange(ref _demandEnds, NoDemand, ends);
            return false;
        }
    }

    /// <summary>Threads that neither compute nor have work in their queue.</summary>
    public int Idle
    {
        get
        {
            lock (_lock) return Math.Max(0, _threads.Length - _busy - _served.Count);
        }
    }

    /// <summary>Whether a thread is idle.</summary>
    /// <param name="whenIdle">Is called once when a thread is idle again, if none is now.</param>
    public bool IsIdle(Action whenIdle)
    {
        lock (_lock)
        {
            if (Idle > 0) return true;
            _whenIdle.Add(whenIdle);
            return false;
        }
    }

    /// <summary>Computes what is served: by the threads that are idle, or by the next one that will be. Ends when all parts have.</summary>
    /// <param name="most">Parts that it can be divided into.</param>
    /// <param name="predict">Computes one of so many parts.</param>
    /// <exception cref="OverloadedException">The queue is full.</exception>
    public Task ServeAsync(int most, Action<int, int> predict)
    {
        Volatile.Write(ref _demandEnds, _time.GetTimestamp() + (long)(s_demand.TotalSeconds * _time.TimestampFrequency));
        Task[] results;
        lock (_lock)
        {
            if (_served.Count >= _capacity)
            {
                throw new OverloadedException(
                    $"{_served.Count} predictions wait for the {_threads.Length} prediction threads of this silo: ask again in a moment.");
            }

            results = new Task[Math.Clamp(Idle, 1, most)];
            for (var i = 0; i < results.Length; i++)
            {
                var part = i;
                (var work, results[part]) = Prepare(() =>
                {
                    predict(part, results.Length);
                    return true;
                });
                _served.Enqueue(work);
            }
        }

        _waiting.Release(results.Length);
        return Task.WhenAll(results);
    }

    /// <summary>Computes what is evaluated, when there is room for it.</summary>
    /// <exception cref="OperationCanceledException">It was given up before a thread took it.</exception>
    public async Task<T> RunAsync<T>(Func<T> predict, CancellationToken cancellation = default)
    {
        await _room.WaitAsync(cancellation);
        try
        {
            var (work, result) = Prepare(() =>
            {
                cancellation.ThrowIfCancellationRequested();
                return predict();
            });
            lock (_lock) _evaluated.Enqueue(work);
            _waiting.Release();
            return await result;
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>Finishes what is queued, and ends the threads.</summary>
    public void Dispose()
    {
        lock (_lock) _isClosed = true;
        _waiting.Release(_threads.Length);
        foreach (var thread in _threads) thread.Join();
        _waiting.Dispose();
    }

    private static (Action Work, Task<T> Result) Prepare<T>(Func<T> predict)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Work, result.Task);

        void Work()
        {
            try
            {
                result.SetResult(predict());
            }
            catch (OperationCanceledException exception)
            {
                result.SetCanceled(exception.CancellationToken);
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        }
    }

    private void Work()
    {
        while (Next() is { } work)
        {
            work();
            foreach (var whenIdle in Rest()) whenIdle();
        }
    }

    /// <returns>Who has waited for that.</returns>
    private Action[] Rest()
    {
        lock (_lock)
        {
            _busy--;
            if (_whenIdle.Count == 0 || Idle == 0) return [];
            Action[] waiting = [.. _whenIdle];
            _whenIdle.Clear();
            return waiting;
        }
    }

    /// <returns>Null when there will be no more.</returns>
    private Action? Next()
    {
        while (true)
        {
            _waiting.Wait();
            lock (_lock)
            {
                if (_served.TryDequeue(out var work) || _evaluated.TryDequeue(out work))
                {
                    _busy++;
                    return work;
                }

                if (_isClosed) return null;
            }
        }
    }
}

using static TorchSharp.torch;

namespace DistributedEnsemble.Grains;

/// <summary>
/// A silo's own threads for predictions, one torch thread each: never a lane, and never a thread that grains run on. What is
/// served comes before what is evaluated. Both wait in bounded queues: a served prediction that finds its queue full is
/// refused at once, an evaluation waits for room.
/// </summary>
internal sealed class PredictionThreads : IDisposable
{
    /// <summary>Work that waits for each thread.</summary>
    private const int QueuedPerThread = 64;

    private readonly Lock _lock = new();
    private readonly Queue<Action> _served = [], _evaluated = [];
    private readonly SemaphoreSlim _waiting = new(0), _room;
    private readonly int _capacity;
    private readonly Thread[] _threads;
    private bool _isClosed;

    public PredictionThreads(EnsembleTrainingOptions options)
    {
        _capacity = QueuedPerThread * options.Prediction.Threads;
        _room = new SemaphoreSlim(_capacity);
        _threads = [.. Enumerable.Range(0, options.Prediction.Threads).Select(i => new Thread(Work) { Name = $"prediction {i}", IsBackground = true })];
        foreach (var thread in _threads) thread.Start();
    }

    public int Count => _threads.Length;

    /// <summary>Computes what is served.</summary>
    /// <exception cref="OverloadedException">The queue is full.</exception>
    public Task<T> ServeAsync<T>(Func<T> predict)
    {
        var (work, result) = Prepare(predict);
        lock (_lock)
        {
            if (_served.Count >= _capacity)
            {
                throw new OverloadedException(
                    $"{_served.Count} predictions wait for the {_threads.Length} prediction threads of this silo: ask again in a moment.");
            }

            _served.Enqueue(work);
        }

        _waiting.Release();
        return result;
    }

    /// <summary>Computes what is evaluated, when there is room for it.</summary>
    public async Task<T> RunAsync<T>(Func<T> predict)
    {
        await _room.WaitAsync();
        try
        {
            var (work, result) = Prepare(predict);
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
        set_num_threads(1);
        using var noGradient = no_grad();
        while (Next() is { } work)
        {
            using var scope = NewDisposeScope();
            work();
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
                if (_served.TryDequeue(out var work) || _evaluated.TryDequeue(out work)) return work;
                if (_isClosed) return null;
            }
        }
    }
}

using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace DistributedEnsemble.Grains;

/// <summary>
/// A silo's own threads for predictions, one torch thread each: never a lane, and never a thread that grains run on.
/// </summary>
internal sealed class PredictionThreads : IDisposable
{
    private readonly BlockingCollection<Action> _queue = [];
    private readonly Thread[] _threads;

    public PredictionThreads()
    {
        _threads = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(i => new Thread(Work) { Name = $"prediction {i}", IsBackground = true })];
        foreach (var thread in _threads) thread.Start();
    }

    public Task<T> RunAsync<T>(Func<T> predict)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(() =>
        {
            try
            {
                result.SetResult(predict());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        });
        return result.Task;
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        foreach (var thread in _threads) thread.Join();
        _queue.Dispose();
    }

    private void Work()
    {
        set_num_threads(1);
        using var noGradient = no_grad();
        foreach (var work in _queue.GetConsumingEnumerable())
        {
            using var scope = NewDisposeScope();
            work();
        }
    }
}

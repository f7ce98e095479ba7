using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// Joins requests into batches: while every slot or every thread computes they gather in a bounded queue, and a free slot takes
/// as many as fit from its front. A request that its client gives up leaves the queue, and ends a batch that nobody else waits for.
/// </summary>
/// <param name="slots">Batches that are computed at the same time.</param>
/// <param name="isIdle">Whether a batch would be computed at once; if not, what it is given is called when one would be.</param>
/// <param name="compute">Computes a batch.</param>
/// <param name="measured">Is told of each computed batch: its rows, how long each request waited, how long it took.</param>
internal sealed class RequestBatcher(
    PredictionOptions options, int slots, Func<Action, bool> isIdle, TimeProvider time,
    Func<RequestBatch, CancellationToken, Task<IBatchAnswer>> compute,
    Action<int, IReadOnlyCollection<TimeSpan>, TimeSpan>? measured = null) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiting> _queue = [];
    private readonly TimeSpan _delay = TimeSpan.FromMilliseconds(Math.Ceiling(options.MaxQueueDelayMicroseconds / 1000.0));
    private ITimer? _timer;
    private int _running;
    private bool _isForming;

    /// <exception cref="OverloadedException">The queue is full.</exception>
    public async Task<Prediction> AskAsync(BatchRequest request, CancellationToken cancellation)
    {
        var waiting = new Waiting(this, request, time.GetTimestamp());
        lock (_lock)
        {
            if (_queue.Count >= options.MaxQueueSize)
            {
                throw new OverloadedException($"{_queue.Count} requests wait, and max_queue_size is {options.MaxQueueSize}: ask again in a moment.");
            }

            waiting.Place = _queue.AddLast(waiting);
        }

        using var givenUp = cancellation.UnsafeRegister(static (waiting, cancellation) => ((Waiting)waiting!).GiveUp(cancellation), waiting);
        Dispatch();
        return await waiting.Answer.Task;
    }

    public void Dispose() => _timer?.Dispose();

    private void GiveUp(Waiting waiting, CancellationToken cancellation)
    {
        lock (_lock) if (waiting.Place is { List: not null } place) _queue.Remove(place);
        if (waiting.Answer.TrySetCanceled(cancellation)) waiting.Batch?.OneLess();
    }

    /// <summary>Fills the free slots, once their batches are full or have waited for company as long as they shall.</summary>
    private void Dispatch()
    {
        lock (_lock)
        {
            if (_isForming || _queue.First is not { } first || !HasRoom()) return;
            var waited = time.GetElapsedTime(first.Value.Since);
            if (waited < _delay && Front().Sum(waiting => waiting.Request.Count) < options.MaxBatchSize)
            {
                _timer ??= time.CreateTimer(_ => Dispatch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(_delay - waited, Timeout.InfiniteTimeSpan);
                return;
            }

            _isForming = true;
        }

        // Behind what waits for the pool's threads: requests that have arrived already come along, however busy the process is.
        ThreadPool.UnsafeQueueUserWorkItem(static batcher => batcher.Form(), this, preferLocal: false);
    }

    /// <summary>A batch beside others is worth its threads only where they would be idle: else it takes the company of the next.</summary>
    private bool HasRoom() => _running == 0 || (_running < slots && isIdle(Dispatch));

    /// <summary>The first request, and what can be computed with it.</summary>
    private List<Waiting> Front()
    {
        var front = new List<Waiting>();
        var rows = 0;
        foreach (var waiting in _queue)
        {
            if (rows >= options.MaxBatchSize) break;
            var fits = rows == 0 || (waiting.Request.Selection == front[0].Request.Selection && rows + waiting.Request.Count <= options.MaxBatchSize);
            if (!fits) continue;
            front.Add(waiting);
            rows += waiting.Request.Count;
        }

        return front;
    }

    private void Form()
    {
        Running? batch = null;
        lock (_lock)
        {
            _isForming = false;
            if (_queue.Count > 0)
            {
                batch = new Running(Front());
                foreach (var waiting in batch.Requests)
                {
                    _queue.Remove(waiting.Place!);
                    waiting.Batch = batch;
                }

                _running++;
            }
        }

        // Its first steps occupy the threads, before the next batch asks for idle ones.
        if (batch is not null) _ = RunAsync(batch);
        Dispatch();
    }

    private async Task RunAsync(Running batch)
    {
        try
        {
            var queued = batch.Requests.ConvertAll(waiting => time.GetElapsedTime(waiting.Since));
            foreach (var waited in queued) Measurements.QueueTime.Record(waited.TotalSeconds);
            var begun = time.GetTimestamp();
            var requests = new RequestBatch(batch.Requests[0].Request.Selection, [.. batch.Requests.Select(waiting => waiting.Request)]);
            var answer = await compute(requests, batch.Cancellation);
            var (computed, rows) = (time.GetElapsedTime(begun), requests.Requests.Sum(request => request.Count));
            Measurements.ComputeTime.Record(computed.TotalSeconds);
            Measurements.BatchRows.Record(rows);
            measured?.Invoke(rows, queued, computed);
            var first = 0;
            foreach (var waiting in batch.Requests)
            {
                Answer(waiting, answer, first);
                first += waiting.Request.Count;
            }
        }
        catch (Exception exception)
        {
            foreach (var waiting in batch.Requests) waiting.Answer.TrySetException(exception);
        }

        lock (_lock) _running--;
        Dispatch();
    }

    /// <summary>What is wrong with one request is not the others' matter.</summary>
    private static void Answer(Waiting waiting, IBatchAnswer answer, int first)
    {
        try
        {
            waiting.Answer.TrySetResult(answer.Part(first, waiting.Request));
        }
        catch (RunRejectedException exception)
        {
            waiting.Answer.TrySetException(exception);
        }
    }

    private sealed class Waiting(RequestBatcher batcher, BatchRequest request, long since)
    {
        public BatchRequest Request => request;
        public long Since => since;
        public LinkedListNode<Waiting>? Place { get; set; }
        public Running? Batch { get; set; }
        public TaskCompletionSource<Prediction> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void GiveUp(CancellationToken cancellation) => batcher.GiveUp(this, cancellation);
    }

    private sealed class Running(List<Waiting> requests)
    {
        private readonly CancellationTokenSource _cancellation = new();
        private int _givenUp;

        public List<Waiting> Requests => requests;
        public CancellationToken Cancellation => _cancellation.Token;

        /// <summary>A client left; without any there is nobody to compute for.</summary>
        public void OneLess()
        {
            if (Interlocked.Increment(ref _givenUp) == Requests.Count) _cancellation.Cancel();
        }
    }
}

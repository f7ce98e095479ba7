using System.Collections.Concurrent;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Models;

namespace DistributedEnsemble.Serving.Telemetry;

/// <summary>Triton's statistics extension: how often each model was asked here since the start, and where the time went.</summary>
internal sealed class ModelStatistics(ModelRepository repository, IGrainFactory grains, TimeProvider time)
{
    private readonly ConcurrentDictionary<RunKey, Counter> _runs = new();

    public void Add(MeasuredRequest request, bool isAnswered)
    {
        if (request.Run is { } run) _runs.GetOrAdd(run, _ => new Counter()).Add(request, isAnswered, time.GetUtcNow());
    }

    /// <exception cref="HttpError">There is no such model, or it is not ready.</exception>
    public async Task<object> OfAsync(string name, CancellationToken cancellation) =>
        new { model_stats = new[] { await OfAsync((await repository.GetAsync(name, cancellation)).Run, cancellation) } };

    /// <summary>Of the models that were asked, by name: the first ones after that name.</summary>
    public async Task<object> OfAllAsync(string? after, int most, CancellationToken cancellation) => new
    {
        model_stats = await Task.WhenAll(
            _runs.Keys.Where(run => string.CompareOrdinal(run.Name, after) > 0 && repository.Has(run)).OrderBy(run => run.Name, StringComparer.Ordinal)
                .Take(most).Select(run => OfAsync(run, cancellation))),
    };

    private async Task<object> OfAsync(RunKey run, CancellationToken cancellation)
    {
        var computed = await grains.GetGrain<IAggregator>(run.ToString()).GetStatisticsAsync().WaitAsync(cancellation);
        var asked = _runs.GetValueOrDefault(run)?.Read() ?? new Counts();
        return new
        {
            name = run.Name,
            version = ModelMetadata.Version,
            last_inference = asked.Last.ToUnixTimeMilliseconds(),
            inference_count = asked.Rows,
            execution_count = computed.Batches.Sum(batch => batch.Count),
            inference_stats = new
            {
                success = new Span(asked.Answered, asked.Answering),
                fail = new Span(asked.Failed, asked.Failing),
                queue = new Span(computed.Requests, computed.Queued),
                compute_input = new Span(asked.Answered, asked.Reading),
                compute_infer = new Span(computed.Requests, computed.Computed),
                compute_output = new Span(asked.Answered, asked.Writing),
                cache_hit = new Span(0, TimeSpan.Zero),
                cache_miss = new Span(0, TimeSpan.Zero),
            },
            batch_stats = computed.Batches.Select(batch => new { batch_size = batch.Rows, compute_infer = new Span(batch.Count, batch.Computed) }),
        };
    }

    /// <summary>As Triton writes a number of times and how long they took together, in nanoseconds.</summary>
    private sealed record Span(long Count, long Ns)
    {
        public Span(long count, TimeSpan duration) : this(count, (long)duration.TotalNanoseconds)
        {
        }
    }

    /// <param name="Rows">Of requests that were answered.</param>
    private readonly record struct Counts(
        long Answered, TimeSpan Answering, long Failed, TimeSpan Failing, long Rows, TimeSpan Reading, TimeSpan Writing, DateTimeOffset Last)
    {
        public Counts() : this(0, TimeSpan.Zero, 0, TimeSpan.Zero, 0, TimeSpan.Zero, TimeSpan.Zero, DateTimeOffset.UnixEpoch)
        {
        }
    }

    private sealed class Counter
    {
        private readonly Lock _lock = new();
        private Counts _counts = new();

        public void Add(MeasuredRequest request, bool isAnswered, DateTimeOffset now)
        {
            lock (_lock)
            {
                _counts = isAnswered
                    ? _counts with
                    {
                        Answered = _counts.Answered + 1, Answering = _counts.Answering + request.Elapsed, Rows = _counts.Rows + request.Rows,
                        Reading = _counts.Reading + request.Reading, Writing = _counts.Writing + request.Writing, Last = now,
                    }
                    : _counts with { Failed = _counts.Failed + 1, Failing = _counts.Failing + request.Elapsed };
            }
        }

        public Counts Read()
        {
            lock (_lock) return _counts;
        }
    }
}

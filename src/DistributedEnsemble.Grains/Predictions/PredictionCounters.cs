using System.Collections.Concurrent;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>What predictions have taken on this silo, by run: aggregators come and go, and their counts stay.</summary>
internal sealed class PredictionCounters
{
    private readonly ConcurrentDictionary<RunKey, Counter> _runs = new();

    public PredictionStatistics Of(RunKey run) => _runs.TryGetValue(run, out var counter) ? counter.Read() : new(0, TimeSpan.Zero, TimeSpan.Zero, []);

    /// <param name="queued">How long each request of the batch waited.</param>
    public void Add(RunKey run, int rows, IReadOnlyCollection<TimeSpan> queued, TimeSpan computed) =>
        _runs.GetOrAdd(run, _ => new Counter()).Add(rows, queued, computed);

    private sealed class Counter
    {
        /// <summary>Sizes of batches that are told apart: clients choose them.</summary>
        private const int MostSizes = 256;

        private readonly Lock _lock = new();
        private readonly SortedDictionary<int, BatchStatistics> _batches = [];
        private long _requests;
        private TimeSpan _queued, _computed;

        public void Add(int rows, IReadOnlyCollection<TimeSpan> queued, TimeSpan computed)
        {
            lock (_lock)
            {
                _requests += queued.Count;
                foreach (var time in queued) _queued += time;
                _computed += queued.Count * computed;
                // What is one too many counts with the largest that is known.
                var size = _batches.ContainsKey(rows) || _batches.Count < MostSizes ? rows : _batches.Keys.Last();
                var known = _batches.GetValueOrDefault(size) ?? new BatchStatistics(size, 0, TimeSpan.Zero);
                _batches[size] = known with { Count = known.Count + 1, Computed = known.Computed + computed };
            }
        }

        public PredictionStatistics Read()
        {
            lock (_lock) return new PredictionStatistics(_requests, _queued, _computed, [.. _batches.Values]);
        }
    }
}

using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// The weights that a silo has in memory to answer predictions, arranged for that: read from their files when asked for, known by
/// their SHA-256, and the least recently used dropped over a budget of bytes.
/// </summary>
internal sealed class ConstituentCache(EnsembleTrainingOptions options) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Sha256, KernelKind Kernels), Entry> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];
    private long _bytes;

    /// <summary>Weights that stay valid until the loan is disposed.</summary>
    /// <exception cref="SafetensorsException">The file is missing or damaged.</exception>
    public Loan Borrow(RunFolder folder, WeightFile file, Network network)
    {
        var key = (file.Sha256, network.Kernels);
        Entry entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry!))
            {
                _entries[key] = entry = new Entry(key, new(Load), Bytes(network.Layout));
                _bytes += entry.Bytes;
            }
            else
            {
                _byUse.Remove(entry);
            }

            entry.Users++;
            _byUse.AddLast(entry);
            Shrink();
        }

        try
        {
            return new Loan(this, entry, entry.Weights.Value);
        }
        catch
        {
            lock (_lock) Forget(entry);
            throw;
        }

        Weights Load()
        {
            var weights = WeightFiles.LoadWeights(folder, file, network.Layout);
            network.Arrange(weights);
            return weights;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _byUse) if (entry.Weights.IsValueCreated) entry.Weights.Value.Dispose();
            _byUse.Clear();
            _entries.Clear();
        }
    }

    private void Return(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            Shrink();
        }
    }

    private void Shrink()
    {
        for (var node = _byUse.First; node is not null && _bytes > options.Prediction.CacheBytes;)
        {
            var (entry, next) = (node.Value, node.Next);
            if (entry.Users == 0)
            {
                Forget(entry);
                entry.Weights.Value.Dispose();
            }

            node = next;
        }
    }

    private void Forget(Entry entry)
    {
        if (!_entries.Remove(entry.Key)) return;
        _byUse.Remove(entry);
        _bytes -= entry.Bytes;
    }

    /// <summary>What the weights of one constituent take.</summary>
    public static long Bytes(WeightLayout layout) => sizeof(float) * ((long)layout.ParameterCount + layout.StatisticCount);

    public readonly struct Loan : IDisposable
    {
        private readonly ConstituentCache _cache;
        private readonly Entry _entry;

        internal Loan(ConstituentCache cache, Entry entry, Weights value) => (_cache, _entry, Value) = (cache, entry, value);

        public Weights Value { get; }

        public void Dispose() => _cache.Return(_entry);
    }

    internal sealed class Entry((string Sha256, KernelKind Kernels) key, Lazy<Weights> weights, long bytes)
    {
        public (string Sha256, KernelKind Kernels) Key => key;
        public Lazy<Weights> Weights => weights;
        public long Bytes => bytes;
        public int Users { get; set; }
    }
}

using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Members;

/// <summary>The rows of one step, whose inputs are where they were asked for.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Targets">[rows].</param>
/// <param name="Order">[rows]: which of the samples they are.</param>
public readonly record struct Batch(int Rows, ReadOnlyMemory<float> Targets, ReadOnlyMemory<int> Order);

/// <summary>
/// A member's batches: each epoch goes through the training rows in a fresh order, a keyed permutation; its last batch may
/// be smaller. A batch is valid until the next one is asked for.
/// </summary>
public sealed unsafe class Batches
{
    private readonly Samples _samples;
    private readonly int[] _rows;
    private readonly int _batchSize, _member;
    private readonly RandomSource _random;
    private readonly int[] _order;
    private readonly float[] _targets;
    private int _epoch = -1;

    /// <param name="rows">The rows of <paramref name="samples"/> to train on.</param>
    public Batches(Samples samples, int[] rows, int batchSize, RandomSource random, int member)
    {
        (_samples, _rows, _random, _member) = (samples, rows, random, member);
        _batchSize = Math.Min(batchSize, rows.Length);
        PerEpoch = (rows.Length + _batchSize - 1) / _batchSize;
        _targets = new float[_batchSize];
        _order = new int[rows.Length];
    }

    /// <summary>Steps in an epoch.</summary>
    public int PerEpoch { get; }

    /// <summary>Rows of all batches but an epoch's last.</summary>
    public int Size => _batchSize;

    /// <summary>The batch of the t-th update, t from 1.</summary>
    /// <param name="inputs">Where the rows' inputs go, one after the other.</param>
    public Batch At(int step, Span<float> inputs)
    {
        Permute((step - 1) / PerEpoch);
        var first = (step - 1) % PerEpoch * _batchSize;
        var rows = _order.AsSpan(first, Math.Min(_batchSize, _rows.Length - first));
        if (inputs.Length < rows.Length * _samples.Width) throw new ArgumentException($"{rows.Length} rows do not fit into {inputs.Length} numbers.", nameof(inputs));
        fixed (float* start = inputs) _samples.CopyTo(rows, start, _targets);
        return new Batch(rows.Length, _targets.AsMemory(0, rows.Length), _order.AsMemory(first, rows.Length));
    }

    private void Permute(int epoch)
    {
        if (epoch == _epoch) return;
        _rows.CopyTo(_order, 0);
        _random.Shuffle(new Draw(Purpose.BatchOrder, _member, (uint)epoch, 0), _order);
        _epoch = epoch;
    }
}

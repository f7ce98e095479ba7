using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Members;

/// <summary>The rows of one step, whose inputs are where they were asked for.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Targets">[rows].</param>
/// <param name="Order">[rows]: which of the samples they are, the further ones counted on behind the others.</param>
/// <param name="Labelled">How many of the rows have targets of the data's own; they come first.</param>
internal readonly record struct Batch(int Rows, ReadOnlyMemory<float> Targets, ReadOnlyMemory<int> Order, int Labelled);

/// <summary>
/// A member's batches: each epoch goes through the training rows in a fresh order, a keyed permutation; its last batch may
/// be smaller. A batch is valid until the next one is asked for.
/// </summary>
internal sealed class Batches
{
    private readonly Samples _samples;
    private readonly Samples? _further;
    private readonly Action<Span<int>> _list;
    private readonly int _rows, _batchSize, _member;
    private readonly RandomSource _random;
    private readonly int[] _order;
    private readonly float[] _targets;
    private int _epoch = -1;

    /// <param name="rows">How many rows of <paramref name="samples"/> to train on.</param>
    /// <param name="list">Lists them at the beginning of each epoch: of long tables each list counts.</param>
    /// <param name="further">More rows to train on, whose targets are no labels.</param>
    public Batches(Samples samples, int rows, Action<Span<int>> list, int batchSize, RandomSource random, int member, Samples? further = null)
    {
        (_samples, _further, _random, _member) = (samples, further, random, member);
        (_list, _rows) = (list, rows);
        _order = new int[checked(rows + (further?.Count ?? 0))];
        _batchSize = Math.Min(batchSize, _order.Length);
        PerEpoch = (_order.Length + _batchSize - 1) / _batchSize;
        _targets = new float[_batchSize];
    }

    /// <summary>Steps in an epoch.</summary>
    public int PerEpoch { get; }

    /// <summary>Rows of all batches but an epoch's last.</summary>
    public int Size => _batchSize;

    /// <summary>The batch of the t-th update, t from 1.</summary>
    /// <param name="inputs">Where the rows' inputs go, one after the other.</param>
    /// <exception cref="DataException">They cannot be read.</exception>
    public Batch At(int step, Span<float> inputs)
    {
        Permute((step - 1) / PerEpoch);
        var first = (step - 1) % PerEpoch * _batchSize;
        var rows = _order.AsSpan(first, Math.Min(_batchSize, _order.Length - first));
        if (inputs.Length < rows.Length * _samples.Width) throw new ArgumentException($"{rows.Length} rows do not fit into {inputs.Length} numbers.", nameof(inputs));
        var labelled = rows.Length;
        while (labelled > 0 && rows[labelled - 1] >= _samples.Count) labelled--;
        _samples.CopyTo(rows[..labelled], inputs, _targets);
        for (var i = labelled; i < rows.Length; i++)
        {
            var row = rows[i] - (int)_samples.Count;
            _further!.InputsOf(row, 1).CopyTo(inputs[(i * _samples.Width)..]);
            _targets[i] = _further.Targets[row];
        }

        return new Batch(rows.Length, _targets.AsMemory(0, rows.Length), _order.AsMemory(first, rows.Length), labelled);
    }

    private void Permute(int epoch)
    {
        if (epoch == _epoch) return;
        _list(_order.AsSpan(0, _rows));
        for (var i = _rows; i < _order.Length; i++) _order[i] = (int)_samples.Count + i - _rows;
        _random.Shuffle(new Draw(Purpose.BatchOrder, _member, (uint)epoch, 0), _order);
        _epoch = epoch;
        if (_further is null) return;
        for (var first = 0; first < _order.Length; first += _batchSize) LabelledFirst(_order.AsSpan(first, Math.Min(_batchSize, _order.Length - first)));
    }

    /// <summary>Keeps the order of either kind.</summary>
    private void LabelledFirst(Span<int> rows)
    {
        var (labelled, others) = (0, new List<int>());
        foreach (var row in rows)
        {
            if (row < _samples.Count) rows[labelled++] = row;
            else others.Add(row);
        }

        others.CopyTo(rows[labelled..]);
    }
}

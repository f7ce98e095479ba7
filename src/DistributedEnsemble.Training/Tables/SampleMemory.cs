using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Samples whose number is known before they come: each is written where it stays.</summary>
internal sealed class SampleMemory : IDisposable
{
    private const long BlockNumbers = 1 << 24;

    private readonly int _width, _rowsPerBlock;
    private readonly Tensor _inputs;
    private readonly float[] _targets;
    private Tensor? _block;
    private int _count;
    private bool _isGiven;

    /// <exception cref="DataException">They are more than can be addressed.</exception>
    public SampleMemory(long rows, int width)
    {
        if (rows > Array.MaxLength) throw new DataException($"{rows:N0} rows are more than the {Array.MaxLength:N0} that fit. Take a part of them.");
        (_width, _rowsPerBlock) = (width, (int)Math.Max(1, BlockNumbers / width));
        using var scope = NewDisposeScope();
        _inputs = empty(rows, width).DetachFromDisposeScope();
        _targets = new float[rows];
    }

    /// <summary>The inputs of the next sample, to be filled by the caller.</summary>
    public Span<float> Add(float target)
    {
        var place = _count % _rowsPerBlock;
        if (place == 0)
        {
            _block?.Dispose();
            using var scope = NewDisposeScope();
            _block = _inputs.narrow(0, _count, Math.Min(_rowsPerBlock, _targets.Length - _count)).DetachFromDisposeScope();
        }

        _targets[_count++] = target;
        return MemoryMarshal.Cast<byte, float>(_block!.bytes).Slice(place * _width, _width);
    }

    /// <summary>The targets that came so far.</summary>
    public ReadOnlySpan<float> Targets => _targets.AsSpan(0, _count);

    /// <summary>The samples that came, which may be fewer than were expected.</summary>
    public Samples ToSamples(Preprocessing preprocessing)
    {
        using var scope = NewDisposeScope();
        _isGiven = true;
        for (var start = 0; start < _count && preprocessing != Preprocessing.None; start += _rowsPerBlock)
            preprocessing.Apply(MemoryMarshal.Cast<byte, float>(_inputs.narrow(0, start, Math.Min(_rowsPerBlock, _count - start)).bytes));
        return _count == _targets.Length
            ? new Samples(_inputs, _targets)
            : new Samples(_inputs.narrow(0, 0, _count).DetachFromDisposeScope(), _targets[.._count]);
    }

    public void Dispose()
    {
        _block?.Dispose();
        if (!_isGiven) _inputs.Dispose();
    }
}

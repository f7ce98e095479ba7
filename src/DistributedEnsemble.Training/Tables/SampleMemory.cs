using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Samples whose number is known before they come: each is written where it stays.</summary>
internal sealed class SampleMemory : IDisposable
{
    private const int BlockNumbers = 1 << 24;

    private readonly int _width;
    private readonly NativeVector _inputs;
    private readonly float[] _targets;
    private int _count;
    private bool _isGiven;

    /// <param name="available">Bytes of memory; null asks the system.</param>
    /// <exception cref="DataException">They are more than can be addressed, or than memory is free for.</exception>
    public SampleMemory(long rows, int width, long? available = null)
    {
        if (rows > Array.MaxLength) throw new DataException($"{rows:N0} rows are more than the {Array.MaxLength:N0} that fit. Take a part of them.");
        TrainingMemory.CheckData(rows, width, available ?? TrainingMemory.Available());
        _width = width;
        _inputs = new NativeVector(rows * width);
        _targets = new float[rows];
    }

    /// <summary>The inputs of the next sample, to be filled by the caller.</summary>
    public Span<float> Add(float target)
    {
        _targets[_count] = target;
        return _inputs.Slice((long)_count++ * _width, _width);
    }

    /// <summary>The targets that came so far.</summary>
    public ReadOnlySpan<float> Targets => _targets.AsSpan(0, _count);

    /// <summary>The samples that came, which may be fewer than were expected.</summary>
    public Samples ToSamples(Preprocessing preprocessing)
    {
        _isGiven = true;
        _inputs.Shorten((long)_count * _width);
        var rowsPerBlock = Math.Max(1, BlockNumbers / _width);
        for (var start = 0; start < _count; start += rowsPerBlock)
            preprocessing.Apply(_inputs.Slice((long)start * _width, Math.Min(rowsPerBlock, _count - start) * _width));
        return new Samples(_inputs, _count == _targets.Length ? _targets : _targets[.._count]);
    }

    public void Dispose()
    {
        if (!_isGiven) _inputs.Dispose();
    }
}

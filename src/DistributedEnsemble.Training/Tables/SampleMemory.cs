using DistributedEnsemble.Files;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Samples whose number is known before they come: each is written where it stays, into memory or, block by block, into a file.</summary>
internal sealed class SampleMemory : IDisposable
{
    private const int BlockNumbers = 1 << 18;

    private readonly int _width, _rowsOfBlock;
    private readonly Preprocessing _preprocessing;

    /// <summary>Null keeps all rows in memory.</summary>
    private readonly InputFile? _file;

    /// <summary>All rows, or those that are not in the file yet.</summary>
    private readonly NativeVector _inputs;

    private readonly float[] _targets;
    private int _count, _written;
    private bool _isGiven;

    private SampleMemory(long rows, int width, Preprocessing preprocessing, InputFile? file)
    {
        (_width, _preprocessing, _file) = (width, preprocessing, file);
        _rowsOfBlock = Math.Max(1, BlockNumbers / width);
        _inputs = new NativeVector((file is null ? rows : Math.Min(rows, _rowsOfBlock)) * width);
        _targets = new float[rows];
    }

    /// <param name="name">Of the table.</param>
    /// <param name="preprocessing">Of all rows.</param>
    /// <param name="rows">Of each part of the data; all parts are in memory, or none.</param>
    /// <param name="large">Where inputs go that are too many for memory; null keeps all there.</param>
    /// <param name="available">Bytes of memory; null asks the system.</param>
    /// <exception cref="DataException">They are more than can be addressed, or than there is room for.</exception>
    public static SampleMemory[] Of(string name, int width, Preprocessing preprocessing, ReadOnlySpan<long> rows, InputFolder? large = null, long? available = null)
    {
        var all = 0L;
        foreach (var count in rows)
        {
            if (count > Array.MaxLength) throw new DataException($"{count:N0} rows are more than the {Array.MaxLength:N0} that fit. Take a part of them.");
            all += count;
        }

        var free = available ?? TrainingMemory.Available();
        var files = large?.TryOpen(name, width, rows, free);
        var parts = new SampleMemory[rows.Length];
        try
        {
            if (files is null) TrainingMemory.CheckData(all, width, free);
            else TrainingMemory.CheckTargets(all, free);
            for (var i = 0; i < parts.Length; i++) parts[i] = new SampleMemory(rows[i], width, preprocessing, files?[i]);
        }
        catch
        {
            foreach (var part in parts) part?.Dispose();
            foreach (var file in files ?? []) file.Dispose();
            throw;
        }

        return parts;
    }

    /// <summary>The inputs of the next sample, to be filled by the caller.</summary>
    /// <exception cref="StorageAwayException">Those before cannot be written now.</exception>
    public Span<float> Add(float target)
    {
        if (_file is not null && _count - _written == _rowsOfBlock) Flush();
        _targets[_count] = target;
        return _inputs.Slice((long)(_count++ - _written) * _width, _width);
    }

    /// <summary>The targets that came so far.</summary>
    public ReadOnlySpan<float> Targets => _targets.AsSpan(0, _count);

    /// <summary>Writes what is not in the file yet, so that <see cref="ToSamples"/> cannot fail.</summary>
    /// <exception cref="StorageAwayException">It cannot be written now.</exception>
    public void Flush()
    {
        if (_file is null || _count == _written) return;
        var rows = _inputs.Slice(0, (_count - _written) * _width);
        _preprocessing.Apply(rows);
        _file.Append(rows);
        // As memory is at first.
        rows.Clear();
        _written = _count;
    }

    /// <summary>The samples that came, which may be fewer than were expected.</summary>
    /// <exception cref="StorageAwayException">They cannot be written now.</exception>
    public Samples ToSamples()
    {
        var targets = _count == _targets.Length ? _targets : _targets[.._count];
        if (_file is not null)
        {
            Flush();
            _inputs.Dispose();
            _isGiven = true;
            return new Samples(_file, targets);
        }

        _isGiven = true;
        _inputs.Shorten((long)_count * _width);
        for (var start = 0; start < _count; start += _rowsOfBlock)
            _preprocessing.Apply(_inputs.Slice((long)start * _width, Math.Min(_rowsOfBlock, _count - start) * _width));
        return new Samples(_inputs, targets);
    }

    public void Dispose()
    {
        if (_isGiven) return;
        _inputs.Dispose();
        _file?.Dispose();
    }
}

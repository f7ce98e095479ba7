using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Data;

/// <summary>Rows that grow one by one, in blocks, until their number is known.</summary>
internal sealed class SampleRows(int width)
{
    private const int BlockNumbers = 1 << 16;

    private readonly int _rowsPerBlock = Math.Max(1, BlockNumbers / width);
    private readonly List<float[]?> _blocks = [];
    private readonly List<int> _labels = [];

    public int Count => _labels.Count;

    public int Width => width;

    /// <summary>Adds a row, to be filled by the caller.</summary>
    public Span<float> Add(int label)
    {
        var place = _labels.Count % _rowsPerBlock;
        if (place == 0) _blocks.Add(new float[_rowsPerBlock * width]);
        _labels.Add(label);
        return _blocks[^1].AsSpan(place * width, width);
    }

    public IReadOnlyList<int> Labels => _labels;

    /// <summary>The rows so far, whole blocks of them, in order.</summary>
    public IEnumerable<ReadOnlyMemory<float>> Blocks => _blocks.Select((block, index) => (ReadOnlyMemory<float>)Filled(block, index));

    /// <summary>Preprocessed samples in native memory. The blocks are given up on the way, so that the rows are held about once.</summary>
    /// <param name="relabel">The final index of each label.</param>
    public Samples ToSamples(Preprocessing preprocessing, IReadOnlyList<int> relabel)
    {
        var inputs = new NativeVector((long)Count * width);
        for (var i = 0; i < _blocks.Count; i++)
        {
            var block = Filled(_blocks[i], i).Span;
            preprocessing.Apply(block);
            block.CopyTo(inputs.Slice((long)i * _rowsPerBlock * width, block.Length));
            _blocks[i] = null;
        }

        return new Samples(inputs, [.. _labels.Select(label => (float)relabel[label])]);
    }

    private Memory<float> Filled(float[]? block, int index) =>
        block.AsMemory(0, Math.Min(_rowsPerBlock, Count - (index * _rowsPerBlock)) * width);
}

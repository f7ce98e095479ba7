using System.Runtime.InteropServices;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Safetensors;

/// <summary>A tensor to be written: what the header says of it, and where its bytes come from.</summary>
public sealed class NamedTensor
{
    internal const int PartNumbers = 1 << 24;

    private readonly Action<Action<ReadOnlySpan<byte>>> _source;

    /// <param name="source">Hands its row-major little-endian bytes, in parts of any size, to the given action.</param>
    public NamedTensor(string name, ElementType type, IReadOnlyList<long> shape, Action<Action<ReadOnlySpan<byte>>> source)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(name, SafetensorsFormat.MetadataName);
        Name = name;
        Type = type;
        Shape = [.. shape];
        ByteCount = shape.Aggregate((long)type.Size(), (product, size) => checked(product * ArgumentNotNegative(size)));
        _source = source;
    }

    /// <summary>Float32 numbers in native memory; they are read when the file is written.</summary>
    public NamedTensor(string name, IReadOnlyList<long> shape, NativeVector vector, int offset = 0)
        : this(name, ElementType.F32, shape, sink =>
        {
            // More than a span of bytes can address are handed over in parts.
            var end = offset + shape.Aggregate(1L, (product, size) => product * size);
            for (long start = offset; start < end; start += PartNumbers)
                sink(MemoryMarshal.AsBytes(vector.Slice(start, (int)Math.Min(PartNumbers, end - start))));
        })
    {
    }

    public string Name { get; }
    public ElementType Type { get; }
    public IReadOnlyList<long> Shape { get; }
    public long ByteCount { get; }

    internal void Read(Action<ReadOnlySpan<byte>> sink) => _source(sink);

    private static long ArgumentNotNegative(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size;
    }
}

using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>Float32 numbers in native memory, aligned to 64 bytes and zero at first: kernels may hold on to where they are.</summary>
public sealed unsafe class NativeVector : IDisposable
{
    internal const int Alignment = 64;

    /// <summary>Vectors that this thread has made.</summary>
    [ThreadStatic]
    private static long t_made;

    private void* _memory;
    private float* _start;

    public NativeVector(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        // The system's pages are zero when they come: nothing is touched, and takes memory, before it is used.
        _memory = NativeMemory.AllocZeroed(checked(((nuint)length * sizeof(float)) + Alignment));
        _start = (float*)(((nuint)_memory + Alignment - 1) & ~(nuint)(Alignment - 1));
        t_made++;
    }

    ~NativeVector() => Free();

    /// <inheritdoc cref="t_made"/>
    internal static long MadeByThisThread => t_made;

    public long Length { get; private set; }

    /// <summary>All of them.</summary>
    /// <exception cref="OverflowException">They are more than a span can address: use <see cref="Slice"/>.</exception>
    public Span<float> Span => Slice(0, checked((int)Length));

    /// <summary>Where the first one is.</summary>
    /// <exception cref="ObjectDisposedException">The memory was given back.</exception>
    public float* Start => _start != null ? _start : throw new ObjectDisposedException(nameof(NativeVector));

    /// <summary>Some of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not as many.</exception>
    public Span<float> Slice(long start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + length, Length);
        return new Span<float>(Start + start, length);
    }

    /// <summary>Forgets the last ones.</summary>
    public void Shorten(long length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>A copy of some numbers.</summary>
    public static NativeVector Of(ReadOnlySpan<float> values)
    {
        var vector = new NativeVector(values.Length);
        values.CopyTo(vector.Span);
        return vector;
    }

    public NativeVector Copy()
    {
        var copy = new NativeVector(Length);
        Buffer.MemoryCopy(Start, copy._start, Length * sizeof(float), Length * sizeof(float));
        return copy;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_memory);
        _memory = null;
        _start = null;
    }
}

using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The one block of native memory that a function works in. Who takes from a block without memory finds how much is needed:
/// the same takings give the same places.
/// </summary>
public sealed unsafe class WorkingMemory : IDisposable
{
    private const int Alignment = 64, FloatsPerLine = Alignment / sizeof(float);

    private readonly long _length;
    private float* _start;

    private WorkingMemory(long length)
    {
        _length = length;
        if (length == 0) return;
        _start = (float*)NativeMemory.AlignedAlloc((nuint)length * sizeof(float), Alignment);
        NativeMemory.Clear(_start, (nuint)length * sizeof(float));
    }

    ~WorkingMemory() => Free();

    /// <summary>Floats taken so far.</summary>
    public long Taken { get; private set; }

    /// <summary>Floats that something takes of a block.</summary>
    public static long Measure(Action<WorkingMemory> take)
    {
        var none = new WorkingMemory(0);
        take(none);
        return none.Taken;
    }

    /// <summary>A block of zeros.</summary>
    public static WorkingMemory Of(long length) => new(Math.Max(length, 1));

    /// <summary>The next floats, from a multiple of 64 bytes on.</summary>
    public float* Take(long length)
    {
        var place = _start + Taken;
        Taken = checked(Taken + (length + FloatsPerLine - 1) / FloatsPerLine * FloatsPerLine);
        return _length == 0 || Taken <= _length ? place : throw new InvalidOperationException($"{Taken} floats do not fit into {_length}.");
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}

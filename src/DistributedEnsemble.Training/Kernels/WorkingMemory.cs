namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The one block of native memory that a function works in. Who takes from a block without memory finds how much is needed:
/// the same takings give the same places.
/// </summary>
public sealed unsafe class WorkingMemory : IDisposable
{
    private const int FloatsPerLine = NativeVector.Alignment / sizeof(float);

    /// <summary>Null while it is only measured.</summary>
    private readonly NativeVector? _memory;

    private WorkingMemory(NativeVector? memory) => _memory = memory;

    /// <summary>Floats taken so far.</summary>
    public long Taken { get; private set; }

    /// <summary>Floats that something takes of a block.</summary>
    public static long Measure(Action<WorkingMemory> take)
    {
        var none = new WorkingMemory(null);
        take(none);
        return none.Taken;
    }

    /// <summary>A block of zeros.</summary>
    public static WorkingMemory Of(long length) => new(new NativeVector(Math.Max(length, 1)));

    /// <summary>The next floats, from a multiple of 64 bytes on.</summary>
    public float* Take(long length)
    {
        var place = (_memory is null ? null : _memory.Start) + Taken;
        Taken = checked(Taken + (length + FloatsPerLine - 1) / FloatsPerLine * FloatsPerLine);
        return _memory is null || Taken <= _memory.Length ? place : throw new InvalidOperationException($"{Taken} floats do not fit into {_memory.Length}.");
    }

    public void Dispose() => _memory?.Dispose();
}

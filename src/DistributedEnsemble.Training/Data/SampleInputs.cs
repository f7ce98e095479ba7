using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Data;

/// <summary>Where the inputs of samples lie, row after row. Read by many threads.</summary>
internal abstract class SampleInputs : IDisposable
{
    /// <summary>Numbers of all rows.</summary>
    public abstract long Length { get; }

    /// <summary>Whether they can be looked at where they lie.</summary>
    public abstract bool IsInMemory { get; }

    /// <summary>Numbers that follow each other: where they lie, or a copy of them.</summary>
    /// <param name="copy">Has room for as many, unless they are in memory.</param>
    /// <exception cref="DataException">They cannot be read.</exception>
    public abstract ReadOnlySpan<float> Slice(long start, int length, Span<float> copy);

    /// <summary>Copies rows, in the given order, one after the other.</summary>
    /// <inheritdoc cref="Slice" path="/exception"/>
    public abstract void Gather(ReadOnlySpan<int> rows, int width, Span<float> target);

    public abstract void Dispose();
}

/// <summary>Inputs in memory.</summary>
internal sealed unsafe class InputMemory(NativeVector numbers) : SampleInputs
{
    public override long Length => numbers.Length;

    public override bool IsInMemory => true;

    public override ReadOnlySpan<float> Slice(long start, int length, Span<float> copy) => numbers.Slice(start, length);

    public override void Gather(ReadOnlySpan<int> rows, int width, Span<float> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)rows.Length * width, target.Length);
        var all = numbers.Start;
        fixed (float* start = target)
        {
            var to = start;
            for (var i = 0; i < rows.Length; i++, to += width) new ReadOnlySpan<float>(all + (nint)rows[i] * width, width).CopyTo(new Span<float>(to, width));
        }
    }

    public override void Dispose() => numbers.Dispose();
}

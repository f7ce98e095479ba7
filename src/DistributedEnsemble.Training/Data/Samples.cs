using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training;

/// <summary>Rows with their targets, preprocessed.</summary>
/// <param name="Inputs">[n, inputs], row after row.</param>
/// <param name="Targets">[n]: indices into the classes, or standardised numbers, as the dataset's task says.</param>
public sealed unsafe record Samples(NativeVector Inputs, float[] Targets) : IDisposable
{
    public long Count => Targets.Length;

    /// <summary>Numbers of one row.</summary>
    public int Width => Count == 0 ? 0 : (int)(Inputs.Length / Count);

    /// <summary>The inputs of some rows that follow each other.</summary>
    public Span<float> InputsOf(long first, int count) => Inputs.Slice(first * Width, checked(count * Width));

    /// <summary>A copy of some rows, in the given order.</summary>
    public Samples Rows(ReadOnlySpan<int> rows)
    {
        var copy = new Samples(new NativeVector((long)rows.Length * Width), new float[rows.Length]);
        CopyTo(rows, copy.Inputs.Start, copy.Targets);
        return copy;
    }

    /// <summary>Copies some rows, in the given order, one after the other.</summary>
    internal void CopyTo(ReadOnlySpan<int> rows, float* inputs, Span<float> targets)
    {
        var width = Width;
        var all = Inputs.Start;
        for (var i = 0; i < rows.Length; i++, inputs += width)
        {
            targets[i] = Targets[rows[i]];
            new ReadOnlySpan<float>(all + (nint)rows[i] * width, width).CopyTo(new Span<float>(inputs, width));
        }
    }

    public void Dispose() => Inputs.Dispose();
}

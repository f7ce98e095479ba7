using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Data;

/// <summary>Rows with their targets, preprocessed.</summary>
/// <param name="Inputs">Of all rows that lie in this memory, row after row.</param>
/// <param name="Targets">[n]: indices into the classes, or standardised numbers, as the dataset's task says.</param>
public sealed unsafe record Samples(NativeVector Inputs, float[] Targets) : IDisposable
{
    /// <summary>Which rows of the memory these are; null if they are all of them, in their order.</summary>
    private int[]? _places;

    public long Count => Targets.Length;

    /// <summary>Numbers of one row.</summary>
    public int Width { get; private init; } = Targets.Length == 0 ? 0 : (int)(Inputs.Length / Targets.Length);

    /// <summary>The inputs of some rows that follow each other: where they lie, or a copy of chosen ones.</summary>
    public Span<float> InputsOf(long first, int count) => InputsOf(first, count, _places is null ? [] : new float[checked(count * Width)]);

    /// <inheritdoc cref="InputsOf(long, int)"/>
    /// <param name="copy">Where chosen rows go.</param>
    public Span<float> InputsOf(long first, int count, Span<float> copy)
    {
        if (_places is null) return Inputs.Slice(first * Width, checked(count * Width));
        for (var i = 0; i < count; i++) Inputs.Slice((long)_places[first + i] * Width, Width).CopyTo(copy[(i * Width)..]);
        return copy[..(count * Width)];
    }

    /// <summary>Some of the rows, in the given order, for as long as these are there: their inputs stay where they are.</summary>
    public Samples Chosen(int[] rows) => new(Inputs, [.. rows.Select(row => Targets[row])]) { _places = rows, Width = Width };

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

    public void Dispose()
    {
        if (_places is null) Inputs.Dispose();
    }
}

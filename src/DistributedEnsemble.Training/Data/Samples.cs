using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Data;

/// <summary>Rows with their targets, preprocessed. The inputs of large tables lie in a file, all others in memory.</summary>
public sealed record Samples : IDisposable
{
    private readonly SampleInputs _inputs;

    /// <summary>Which of the rows that lie there these are; null if they are all of them, in their order.</summary>
    private int[]? _places;

    /// <param name="inputs">Of all rows, row after row.</param>
    /// <param name="targets">Of all rows.</param>
    public Samples(NativeVector inputs, float[] targets) : this(new InputMemory(inputs), targets)
    {
    }

    internal Samples(SampleInputs inputs, float[] targets) =>
        (_inputs, Targets, Width) = (inputs, targets, targets.Length == 0 ? 0 : (int)(inputs.Length / targets.Length));

    /// <summary>[n]: indices into the classes, or standardised numbers, as the dataset's task says.</summary>
    public float[] Targets { get; init; }

    public long Count => Targets.Length;

    /// <summary>Numbers of one row.</summary>
    public int Width { get; private init; }

    /// <summary>The inputs of some rows that follow each other: where they lie, or a copy.</summary>
    /// <exception cref="DataException">They cannot be read.</exception>
    public ReadOnlySpan<float> InputsOf(long first, int count) => InputsOf(first, count, RoomFor(count));

    /// <inheritdoc cref="InputsOf(long, int)"/>
    /// <param name="copy">Where they go, unless they are where they lie: see <see cref="RoomFor"/>.</param>
    public ReadOnlySpan<float> InputsOf(long first, int count, Span<float> copy)
    {
        if (_places is null) return _inputs.Slice(first * Width, checked(count * Width), copy);
        _inputs.Gather(_places.AsSpan(checked((int)first), count), Width, copy);
        return copy[..(count * Width)];
    }

    /// <summary>Some inputs of one row.</summary>
    /// <inheritdoc cref="InputsOf(long, int, Span{float})"/>
    internal ReadOnlySpan<float> InputsOf(long row, int place, int count, Span<float> copy) =>
        _inputs.Slice(((_places?[row] ?? row) * Width) + place, count, copy);

    /// <summary>What a copy of so many rows takes: nothing where none is made.</summary>
    public float[] RoomFor(long rows) => _places is null && _inputs.IsInMemory ? [] : new float[checked(rows * Width)];

    /// <summary>Some of the rows, in the given order, for as long as these are there: their inputs stay where they are.</summary>
    public Samples Chosen(int[] rows) => new(_inputs, [.. rows.Select(row => Targets[row])]) { _places = rows, Width = Width };

    /// <summary>A copy of some rows, in the given order, in memory.</summary>
    public Samples Rows(ReadOnlySpan<int> rows)
    {
        var (inputs, targets) = (new NativeVector((long)rows.Length * Width), new float[rows.Length]);
        var together = Math.Max(1, Array.MaxLength / Math.Max(1, Width));
        try
        {
            for (var first = 0; first < rows.Length; first += together)
            {
                var count = Math.Min(together, rows.Length - first);
                CopyTo(rows.Slice(first, count), inputs.Slice((long)first * Width, count * Width), targets.AsSpan(first));
            }
        }
        catch
        {
            inputs.Dispose();
            throw;
        }

        return new Samples(inputs, targets) { Width = Width };
    }

    /// <summary>Copies some rows, in the given order, one after the other.</summary>
    /// <inheritdoc cref="InputsOf(long, int)" path="/exception"/>
    internal void CopyTo(ReadOnlySpan<int> rows, Span<float> inputs, Span<float> targets)
    {
        for (var i = 0; i < rows.Length; i++) targets[i] = Targets[rows[i]];
        _inputs.Gather(rows, Width, inputs);
    }

    public void Dispose()
    {
        if (_places is null) _inputs.Dispose();
    }
}

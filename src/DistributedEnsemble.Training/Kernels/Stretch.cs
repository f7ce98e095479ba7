namespace DistributedEnsemble.Training.Kernels;

/// <summary>Numbers of a flat vector that follow each other: those that one thread changes.</summary>
internal readonly record struct Stretch(int Start, int Length)
{
    /// <summary>Numbers that lie in as many vectors of any width, and in lines of memory that no other thread writes to.</summary>
    private const int Unit = 64;

    /// <summary>A part of all numbers.</summary>
    public static Stretch Of(int length, int part, int parts)
    {
        var start = Team.Place(length, Unit, part, parts);
        return new Stretch(start, Team.Place(length, Unit, part + 1, parts) - start);
    }

    public Span<float> Of(Span<float> vector) => vector.Slice(Start, Length);

    /// <summary>What of it is in a range; empty if nothing is.</summary>
    public Stretch And(Range range)
    {
        var start = Math.Max(Start, range.Start.Value);
        return new Stretch(start, Math.Max(0, Math.Min(Start + Length, range.End.Value) - start));
    }
}

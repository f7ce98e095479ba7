namespace DistributedEnsemble.Training;

/// <summary>What a network is given for each row.</summary>
/// <param name="Shape">[inputs] or [channels, height, width].</param>
/// <param name="Embedded">Inputs that are the index of a category's level, by ascending place; only of rows that are vectors.</param>
public sealed record NetworkInputs(IReadOnlyList<long> Shape, IReadOnlyList<EmbeddedInput> Embedded)
{
    public static NetworkInputs Of(params IReadOnlyList<long> shape) => new(shape, []);

    /// <summary>Numbers of one row.</summary>
    public long Width => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>An input that holds the index of a level, as a number. The network begins with a vector for each level.</summary>
/// <param name="Place">Of the input in a row.</param>
/// <param name="Levels">The index is one of 0 … <paramref name="Levels"/> − 1.</param>
/// <param name="Width">Numbers of each vector.</param>
public sealed record EmbeddedInput(int Place, int Levels, int Width);

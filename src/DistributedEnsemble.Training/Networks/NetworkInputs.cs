using System.Text.Json.Serialization;

namespace DistributedEnsemble.Training;

/// <summary>What a network is given for each row.</summary>
/// <param name="Shape">[inputs] or [channels, height, width].</param>
/// <param name="Embedded">Inputs that are the index of a category's level, by ascending place; only of rows that are vectors.</param>
public sealed record NetworkInputs(IReadOnlyList<long> Shape, IReadOnlyList<EmbeddedInput> Embedded)
{
    /// <summary>Inputs that are numbers of many values; none of rows that are no vectors. Found when a network asks for them.</summary>
    public Lazy<IReadOnlyList<NumberInput>> Numbers { get; init; } = new([]);

    public static NetworkInputs Of(params IReadOnlyList<long> shape) => new(shape, []);

    /// <summary>Numbers of one row.</summary>
    public long Width => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>An input that holds the index of a level, as a number. The network begins with a vector for each level.</summary>
/// <param name="Place">Of the input in a row.</param>
/// <param name="Levels">The index is one of 0 … <paramref name="Levels"/> − 1.</param>
/// <param name="Width">Numbers of each vector.</param>
public sealed record EmbeddedInput(int Place, int Levels, int Width);

/// <summary>An input that is a number of many values.</summary>
/// <param name="Place">Of the input in a row.</param>
/// <param name="Edges">Ascending: of bins that hold equally many training rows, as far as equal numbers let them.</param>
public sealed record NumberInput(int Place, IReadOnlyList<float> Edges)
{
    [JsonIgnore]
    public int Bins => Edges.Count - 1;

    /// <summary>What is wrong with it; null if nothing is.</summary>
    internal string? Fault(long width) => Place < 0 || Place >= width || Edges is null || Edges.Count < 2 || !Edges.All(float.IsFinite)
        || Edges.Zip(Edges.Skip(1)).Any(pair => pair.First >= pair.Second) ? "the edges of a number's bins do not ascend" : null;
}

using System.Text.Json.Serialization;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Networks;

/// <summary>What a network is given for each row.</summary>
/// <param name="Shape">[inputs] or [channels, height, width].</param>
/// <param name="Embedded">Inputs that are the index of a category's level, by ascending place; only of rows that are vectors.</param>
public sealed record NetworkInputs(IReadOnlyList<long> Shape, IReadOnlyList<EmbeddedInput> Embedded)
{
    /// <summary>Inputs that are numbers of many values; none of rows that are no vectors. Found when a network asks for them.</summary>
    public Lazy<IReadOnlyList<NumberInput>> Numbers { get; init; } = new([]);

    public static NetworkInputs Of(params IReadOnlyList<long> shape) => new(shape, []);

    /// <summary>Numbers of each feature, in their order; empty where each is a number.</summary>
    public IReadOnlyList<int> Features { get; init; } = [];

    /// <summary>The places of the inputs that the network begins with, ascending; null where it begins with all.</summary>
    public IReadOnlyList<int>? Chosen { get; private init; }

    /// <summary>Numbers of one row.</summary>
    public long Width => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>What the layers are given behind the choice: the chosen inputs at their places among the chosen.</summary>
    internal NetworkInputs AfterChoice()
    {
        if (Chosen is not { } chosen) return this;
        var places = chosen.Index().ToDictionary(place => place.Item, place => place.Index);
        return new NetworkInputs([chosen.Count], [.. Embedded.Where(input => places.ContainsKey(input.Place)).Select(input => input with { Place = places[input.Place] })])
        {
            Numbers = new(() => [.. Numbers.Value.Where(number => places.ContainsKey(number.Place)).Select(number => number with { Place = places[number.Place] })]),
        };
    }

    /// <summary>The same rows, of which a member's network sees a share of the features.</summary>
    /// <exception cref="SpecException">The rows are no vectors.</exception>
    internal NetworkInputs Share(double share, RandomSource random, int member)
    {
        if (Shape.Count != 1) throw new SpecException($"data.columns is {share}: only the rows of tables have features to choose among, and these are images (leave it out).");
        var widths = Features.Count > 0 ? Features : [.. Enumerable.Repeat(1, (int)Width)];
        var order = Enumerable.Range(0, widths.Count).ToArray();
        random.Shuffle(new Draw(Purpose.Columns, member, 0, 0), order);
        var chosen = order.Take(Math.Max(1, (int)Math.Round(share * widths.Count, MidpointRounding.AwayFromZero))).ToHashSet();
        var (places, first) = (new List<int>(), 0);
        for (var feature = 0; feature < widths.Count; first += widths[feature++])
        {
            if (chosen.Contains(feature)) places.AddRange(Enumerable.Range(first, widths[feature]));
        }

        return this with { Chosen = places };
    }
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

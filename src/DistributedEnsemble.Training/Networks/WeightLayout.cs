using System.Collections.Immutable;

namespace DistributedEnsemble.Training.Networks;

/// <summary>How a parameter starts.</summary>
/// <param name="Bound">Uniform in ±bound; 0 if constant.</param>
/// <param name="Constant">The value if <paramref name="Bound"/> is 0.</param>
/// <param name="IsSign">Whether it is −bound or bound, each as often, and nothing between.</param>
public readonly record struct Initialization(double Bound, float Constant, bool IsSign = false)
{
    /// <summary>The values themselves, if they are given; null if they are drawn, or all the same.</summary>
    internal float[]? Given { get; private init; }

    /// <summary>1 or −1.</summary>
    public static Initialization Sign { get; } = new(1, 0, IsSign: true);

    /// <summary>PyTorch's default for dense and convolution layers: uniform in ±1/√fan_in, weights and biases alike.</summary>
    public static Initialization FanIn(long fanIn) => new(1 / Math.Sqrt(fanIn), 0);

    /// <summary>Uniform with the variance 2/fan_in, which relu layers keep (He et al., 2015, eq. 10).</summary>
    public static Initialization He(long fanIn) => new(Math.Sqrt(6.0 / fanIn), 0);

    public static Initialization Value(float constant) => new(0, constant);

    /// <summary>As the host gives them, the same for each member.</summary>
    internal static Initialization Values(float[] given) => new(0, 0) { Given = given };

    /// <summary>The value that a uniform number in [0, 1) stands for.</summary>
    internal float Of(float uniform) => (float)((IsSign ? uniform < 0.5f ? -1 : 1 : 2.0 * uniform - 1) * Bound);
}

/// <summary>One tensor of a network's weights.</summary>
/// <param name="Name">layers.N.weight and the like: N counts the layers that own tensors, in forward order.</param>
/// <param name="Shape">PyTorch's shape.</param>
/// <param name="Layer">N.</param>
/// <param name="IsStatistic">Whether it is measured in training (batch norm) and not trained.</param>
/// <param name="IsDecayed">Whether L2 and weight decay act on it: weights only, no biases, no batch norm.</param>
/// <param name="Offset">Where it starts in the flat vector of parameters, or of statistics.</param>
public sealed record TensorPlace(
    string Name, IReadOnlyList<long> Shape, int Layer, bool IsStatistic, bool IsDecayed, Initialization Start, int Offset)
{
    public int Length { get; } = checked((int)Shape.Aggregate(1L, (product, size) => checked(product * size)));
}

/// <summary>Which tensors a network has, in forward order, and where each lies in the flat vectors.</summary>
public sealed class WeightLayout
{
    internal WeightLayout(IReadOnlyList<TensorPlace> tensors)
    {
        Tensors = tensors;
        ParameterCount = tensors.Where(t => !t.IsStatistic).Sum(t => t.Length);
        StatisticCount = tensors.Where(t => t.IsStatistic).Sum(t => t.Length);
        Decayed = [.. tensors.Where(t => t.IsDecayed).Select(t => new Range(t.Offset, t.Offset + t.Length))];
    }

    public IReadOnlyList<TensorPlace> Tensors { get; }

    /// <summary>Whether weights of the one are weights of the other.</summary>
    internal bool Fits(WeightLayout other) => Tensors.Count == other.Tensors.Count && Tensors.Zip(other.Tensors).All(pair =>
        pair.First.Name == pair.Second.Name && pair.First.IsStatistic == pair.Second.IsStatistic && pair.First.Shape.SequenceEqual(pair.Second.Shape));

    public int ParameterCount { get; }
    public int StatisticCount { get; }

    /// <summary>The stretches of the flat parameters on which L2 and weight decay act.</summary>
    public ImmutableArray<Range> Decayed { get; }
}

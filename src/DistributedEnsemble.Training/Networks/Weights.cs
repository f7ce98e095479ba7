using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Torch;
using TorchSharp;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// A member's weights as two flat vectors, one of parameters and one of statistics. Layers see views of them, so that the
/// optimizer, L2, averages, snapshots and checkpoints are each a pass over a vector.
/// </summary>
public sealed class Weights : IDisposable
{
    private TorchViews? _views;
    private object? _lock;

    public Weights(WeightLayout layout) : this(layout, new NativeVector(layout.ParameterCount), new NativeVector(layout.StatisticCount))
    {
    }

    private Weights(WeightLayout layout, NativeVector parameters, NativeVector statistics) =>
        (Layout, Parameters, Statistics) = (layout, parameters, statistics);

    public WeightLayout Layout { get; }

    public NativeVector Parameters { get; }

    public NativeVector Statistics { get; }

    /// <summary>As long as the parameters; null unless the weights are trained.</summary>
    public NativeVector? Gradient { get; private set; }

    /// <summary>Whether a network arranged them for its predictions: they are no more what the layout says.</summary>
    internal bool ArePanels { get; set; }

    /// <summary>The tensor at a position of the layout, in its own shape, over the memory of the flat vector.</summary>
    public torch.Tensor this[int index] => ArePanels ? throw Arranged() : LazyInitializer.EnsureInitialized(ref _views, ref _lock, () => new TorchViews(this))[index];

    /// <summary>Draws a member's initial weights.</summary>
    public static Weights Initialize(WeightLayout layout, RandomSource random, int member)
    {
        var weights = new Weights(layout);
        foreach (var layer in layout.Tensors.GroupBy(t => t.Layer))
        {
            var drawn = layer.Where(t => t.Start.Bound > 0).ToList();
            // Not an array: the garbage collector lets arrays of this size pile up, member after member.
            using var uniform = new NativeVector(drawn.Sum(t => t.Length));
            var rest = uniform.Span;
            if (drawn.Count > 0) random.Uniform(new Draw(Purpose.Initialization, member, 0, (uint)layer.Key), rest);
            foreach (var place in layer)
            {
                var values = weights.Values(place);
                if (place.Start.Given is { } given)
                {
                    given.CopyTo(values);
                    continue;
                }

                if (place.Start.Bound == 0)
                {
                    values.Fill(place.Start.Constant);
                    continue;
                }

                for (var i = 0; i < values.Length; i++) values[i] = place.Start.Of(rest[i]);
                rest = rest[values.Length..];
            }
        }

        return weights;
    }

    /// <summary>Gives a backward pass a gradient to set.</summary>
    public void Train() => Gradient ??= new NativeVector(Layout.ParameterCount);

    /// <summary>A copy that is not trained.</summary>
    public Weights Copy() => ArePanels ? throw Arranged() : new(Layout, Parameters.Copy(), Statistics.Copy());

    /// <summary>
    /// A copy that is made later, of parameters that nobody changes until then; the statistics, which a forward pass changes, are
    /// copied at once.
    /// </summary>
    internal Func<Weights> BeginCopy()
    {
        if (ArePanels) throw Arranged();
        var statistics = Statistics.Copy();
        return () => new Weights(Layout, Parameters.Copy(), statistics);
    }

    /// <summary>The values of one tensor, in native memory.</summary>
    public Span<float> Values(TensorPlace place) => ArePanels ? throw Arranged() :
        (place.IsStatistic ? Statistics : Parameters).Slice(place.Offset, place.Length);

    /// <summary>Whether none is infinite or not a number.</summary>
    public bool AreFinite() => AreFinite(Parameters) && AreFinite(Statistics);

    private static bool AreFinite(NativeVector vector) => vector.Length == 0 || TensorPrimitives.IsFiniteAll<float>(vector.Span);

    /// <summary>The SHA-256 of the tensors in forward order: of the data buffer of their file.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var place in Layout.Tensors) hash.AppendData(MemoryMarshal.AsBytes(Values(place)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static InvalidOperationException Arranged() => new("These weights were arranged for predictions.");

    public void Dispose()
    {
        _views?.Dispose();
        Gradient?.Dispose();
        Parameters.Dispose();
        Statistics.Dispose();
    }
}

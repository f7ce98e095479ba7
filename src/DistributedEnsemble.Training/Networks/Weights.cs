using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// A member's weights as two flat vectors, one of parameters and one of statistics. Layers see views of them, so that the
/// optimizer, L2, averages, snapshots and checkpoints are each a pass over a vector.
/// </summary>
public sealed class Weights : IDisposable
{
    private readonly Tensor[] _views;

    public Weights(WeightLayout layout)
    {
        Layout = layout;
        using var scope = NewDisposeScope();
        Parameters = zeros(layout.ParameterCount).DetachFromDisposeScope();
        Statistics = zeros(layout.StatisticCount).DetachFromDisposeScope();
        _views = [.. layout.Tensors.Select(place => View(place.IsStatistic ? Statistics : Parameters, place))];
    }

    public WeightLayout Layout { get; }

    /// <summary>Float32, [parameters].</summary>
    public Tensor Parameters { get; }

    /// <summary>Float32, [statistics].</summary>
    public Tensor Statistics { get; }

    /// <summary>Float32, [parameters]; null unless the weights are trained.</summary>
    public Tensor? Gradient { get; private set; }

    /// <summary>The tensor at a position of the layout, in its own shape.</summary>
    public Tensor this[int index] => _views[index];

    /// <summary>Draws a member's initial weights.</summary>
    public static Weights Initialize(WeightLayout layout, RandomSource random, int member)
    {
        var weights = new Weights(layout);
        foreach (var layer in layout.Tensors.GroupBy(t => t.Layer))
        {
            var drawn = layer.Where(t => t.Start.Bound > 0).ToList();
            // Not an array: the garbage collector lets arrays of this size pile up, member after member.
            using var uniform = empty(drawn.Sum(t => t.Length));
            var rest = uniform.Floats();
            if (drawn.Count > 0) random.Uniform(new Draw(Purpose.Initialization, member, 0, (uint)layer.Key), rest);
            foreach (var place in layer)
            {
                var values = weights.Values(place);
                if (place.Start.Bound == 0)
                {
                    values.Fill(place.Start.Constant);
                    continue;
                }

                for (var i = 0; i < values.Length; i++) values[i] = (float)((2.0 * rest[i] - 1) * place.Start.Bound);
                rest = rest[values.Length..];
            }
        }

        return weights;
    }

    /// <summary>Lets a backward pass add to <see cref="Gradient"/>: each view's gradient is a view of it.</summary>
    public void Train()
    {
        using var scope = NewDisposeScope();
        Gradient = zeros(Layout.ParameterCount).DetachFromDisposeScope();
        for (var i = 0; i < _views.Length; i++)
        {
            if (Layout.Tensors[i].IsStatistic) continue;
            _views[i].requires_grad = true;
            using var gradient = View(Gradient, Layout.Tensors[i]);
            _views[i].grad = gradient;
        }
    }

    /// <summary>A copy that is not trained.</summary>
    public Weights Copy()
    {
        var copy = new Weights(Layout);
        Parameters.bytes.CopyTo(copy.Parameters.bytes);
        Statistics.bytes.CopyTo(copy.Statistics.bytes);
        return copy;
    }

    /// <summary>The values of one tensor, in native memory.</summary>
    public Span<float> Values(TensorPlace place) =>
        (place.IsStatistic ? Statistics : Parameters).Floats().Slice(place.Offset, place.Length);

    /// <summary>Whether none is infinite or not a number.</summary>
    public bool AreFinite()
    {
        using var scope = NewDisposeScope();
        return Parameters.isfinite().all().ToBoolean() && Statistics.isfinite().all().ToBoolean();
    }

    /// <summary>The SHA-256 of the tensors in forward order: of the data buffer of their file.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var place in Layout.Tensors) hash.AppendData(MemoryMarshal.AsBytes(Values(place)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        foreach (var view in _views)
        {
            view.grad?.Dispose();
            view.Dispose();
        }

        Gradient?.Dispose();
        Parameters.Dispose();
        Statistics.Dispose();
    }

    private static Tensor View(Tensor flat, TensorPlace place) =>
        flat.narrow(0, place.Offset, place.Length).view([.. place.Shape]).DetachFromDisposeScope();
}

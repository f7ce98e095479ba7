using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>The z of y = f(W, x, z): which units are dropped.</summary>
public abstract class Noise
{
    /// <summary>No randomness: units keep their expected value, as at test time.</summary>
    public static Noise None { get; } = new Expectation();

    /// <summary>Whether batch norm uses the statistics of the batch, and updates its own.</summary>
    public virtual bool IsTraining => false;

    /// <summary>
    /// A mask that holds 0 for a dropped unit and <paramref name="kept"/> for another; null for the expectation. A mask of one
    /// dimension more, [samples, 1, …], continues with every row under every sample, sample after sample: [samples·batch, …].
    /// </summary>
    /// <param name="dropout">The dropout layer, counted from the input.</param>
    /// <param name="units">What the mask is multiplied with, [batch, …].</param>
    public abstract Tensor? KeepMask(int dropout, Tensor units, double rate, float kept);

    private sealed class Expectation : Noise
    {
        public override Tensor? KeepMask(int dropout, Tensor units, double rate, float kept) => null;
    }
}

/// <summary>Fresh masks for each step and row, from the member's key. The masks of a lane reuse the same memory.</summary>
public sealed class TrainingNoise(RandomSource random, int member) : Noise, IDisposable
{
    private readonly Dictionary<int, Tensor> _masks = [];
    private int _step;

    public override bool IsTraining => true;

    /// <summary>The noise of a step, valid until the next one is asked for.</summary>
    public TrainingNoise At(int step)
    {
        _step = step;
        return this;
    }

    public override Tensor KeepMask(int dropout, Tensor units, double rate, float kept)
    {
        // size() and not shape: that marshals a delegate, whose native thunk lives until the next garbage collection.
        var rows = units.size(0);
        if (!_masks.TryGetValue(dropout, out var mask) || mask.size(0) < rows)
        {
            mask?.Dispose();
            _masks[dropout] = mask = empty(units.shape).DetachFromDisposeScope();
        }

        var part = mask.size(0) == rows ? mask : mask.narrow(0, 0, rows);
        random.KeepMask(new Draw(Purpose.Dropout, member, (uint)_step, (uint)dropout), rate, kept, part.Floats());
        return part;
    }

    public void Dispose()
    {
        foreach (var mask in _masks.Values) mask.Dispose();
    }
}

/// <summary>
/// Samples of Monte-Carlo dropout: each one mask for all rows, so that a row's answer does not depend on its company. Rows
/// are repeated for the samples at the first dropout layer: what lies before it is computed once for all of them.
/// </summary>
/// <param name="first">The first sample of a forward pass.</param>
/// <param name="samples">How many samples follow each other in it.</param>
public sealed class MonteCarloNoise(RandomSource random, int member, int first, int samples = 1) : Noise
{
    private bool _isRepeated;

    public override Tensor KeepMask(int dropout, Tensor units, double rate, float kept)
    {
        var shape = units.shape[1..];
        var masks = empty([samples, 1, .. shape]);
        var values = masks.Floats();
        var length = values.Length / samples;
        for (var i = 0; i < samples; i++)
        {
            random.KeepMask(
                new Draw(Purpose.MonteCarlo, member, (uint)(first + i), (uint)dropout), rate, kept, values.Slice(i * length, length));
        }

        if (_isRepeated) return masks.expand([samples, units.shape[0] / samples, .. shape]).reshape(units.shape);
        _isRepeated = true;
        return masks;
    }
}

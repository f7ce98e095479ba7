using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>The z of y = f(W, x, z): which units are dropped.</summary>
public abstract class Noise
{
    /// <summary>No randomness: units keep their expected value, as at test time.</summary>
    public static Noise None { get; } = new Expectation();

    /// <summary>Whether batch norm uses the statistics of the batch, and updates its own.</summary>
    public virtual bool IsTraining => false;

    /// <summary>A mask that holds 0 for a dropped unit and <paramref name="kept"/> for another; null for the expectation.</summary>
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
        if (!_masks.TryGetValue(dropout, out var mask) || mask.shape[0] < units.shape[0])
        {
            mask?.Dispose();
            _masks[dropout] = mask = empty(units.shape).DetachFromDisposeScope();
        }

        var part = mask.shape[0] == units.shape[0] ? mask : mask.narrow(0, 0, units.shape[0]);
        random.KeepMask(new Draw(Purpose.Dropout, member, (uint)_step, (uint)dropout), rate, kept, part.Floats());
        return part;
    }

    public void Dispose()
    {
        foreach (var mask in _masks.Values) mask.Dispose();
    }
}

/// <summary>Sample s of Monte-Carlo dropout: one mask for all rows, so that a row's answer does not depend on its company.</summary>
public sealed class MonteCarloNoise(RandomSource random, int member, int sample) : Noise
{
    public override Tensor KeepMask(int dropout, Tensor units, double rate, float kept)
    {
        var mask = empty([1, .. units.shape[1..]]);
        random.KeepMask(new Draw(Purpose.MonteCarlo, member, (uint)sample, (uint)dropout), rate, kept, mask.Floats());
        return mask;
    }
}

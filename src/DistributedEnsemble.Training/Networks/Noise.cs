using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Networks;

/// <summary>The z of y = f(W, x, z): which units are dropped.</summary>
public abstract class Noise
{
    /// <summary>No randomness: units keep their expected value, as at test time.</summary>
    public static Noise None { get; } = new Expectation();

    /// <summary>Whether batch norm uses the statistics of the batch, and updates its own.</summary>
    public virtual bool IsTraining => false;

    /// <summary>Whether units are dropped at all.</summary>
    public virtual bool HasMasks => true;

    /// <summary>How many masks, each for all rows, are averaged over; 0 if every row has a mask of its own.</summary>
    public virtual int Samples => 0;

    /// <summary>Fills a mask with 0 for a dropped unit and <paramref name="kept"/> for another.</summary>
    /// <param name="dropout">The dropout layer, counted from the input.</param>
    /// <param name="sample">Below <see cref="Samples"/>.</param>
    /// <param name="mask">[rows, units], and of a sample [units].</param>
    public abstract void Mask(int dropout, int sample, double rate, float kept, Span<float> mask);

    /// <summary>Rows of the pass without samples. At the first dropout layer each row is repeated for all samples: what lies before it is computed once.</summary>
    /// <param name="rows">Those that a dropout layer is given.</param>
    internal virtual int RowsOf(int rows) => rows;

    private sealed class Expectation : Noise
    {
        public override bool HasMasks => false;

        public override void Mask(int dropout, int sample, double rate, float kept, Span<float> mask) => throw new InvalidOperationException("There is no mask.");
    }
}

/// <summary>Fresh masks for each step and row, from the member's key.</summary>
public sealed class TrainingNoise(RandomSource random, int member) : Noise
{
    private int _step;

    public override bool IsTraining => true;

    /// <summary>The noise of a step, valid until the next one is asked for.</summary>
    public TrainingNoise At(int step)
    {
        _step = step;
        return this;
    }

    public override void Mask(int dropout, int sample, double rate, float kept, Span<float> mask) =>
        random.KeepMask(new Draw(Purpose.Dropout, member, (uint)_step, (uint)dropout), rate, kept, mask);
}

/// <summary>
/// Samples of Monte-Carlo dropout, for one pass: each one mask for all rows, so that a row's answer does not depend on its company.
/// </summary>
/// <param name="first">The first sample of the pass.</param>
/// <param name="samples">How many samples follow each other in it.</param>
public sealed class MonteCarloNoise(RandomSource random, int member, int first, int samples = 1) : Noise
{
    private int _rows;

    public override int Samples => samples;

    public override void Mask(int dropout, int sample, double rate, float kept, Span<float> mask) =>
        random.KeepMask(new Draw(Purpose.MonteCarlo, member, (uint)(first + sample), (uint)dropout), rate, kept, mask);

    internal override int RowsOf(int rows) => _rows == 0 ? _rows = rows : _rows;
}

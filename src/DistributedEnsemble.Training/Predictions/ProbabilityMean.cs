using System.Numerics.Tensors;

namespace DistributedEnsemble.Training;

/// <summary>A running mean of class probabilities: sums in the order of calls, as <see cref="Ensemble"/> does, bit by bit.</summary>
public sealed class ProbabilityMean
{
    private float[]? _sum;

    public int Count { get; private set; }

    /// <param name="probabilities">[rows, classes], row after row.</param>
    public void Add(ReadOnlySpan<float> probabilities)
    {
        Count++;
        if (_sum is null) _sum = probabilities.ToArray();
        else TensorPrimitives.Add(_sum, probabilities, _sum);
    }

    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public float[] ToArray()
    {
        var mean = new float[(_sum ?? throw new InvalidOperationException("A mean of nothing.")).Length];
        TensorPrimitives.Divide(_sum, Count, mean);
        return mean;
    }
}

using System.Numerics.Tensors;

namespace DistributedEnsemble.Training;

/// <summary>
/// A running mean of class probabilities, or of any rows: sums in the order of calls, as <see cref="Ensemble"/> does, bit by bit.
/// </summary>
public sealed class ProbabilityMean
{
    private float[]? _sum;

    /// <summary>How many were added, each as often as it counts.</summary>
    public int Count { get; private set; }

    /// <param name="probabilities">[rows, classes], row after row.</param>
    /// <param name="multiplicity">How often they count.</param>
    public void Add(ReadOnlySpan<float> probabilities, int multiplicity = 1)
    {
        Count += multiplicity;
        _sum ??= new float[probabilities.Length];
        if (multiplicity == 1) TensorPrimitives.Add(_sum, probabilities, _sum);
        else TensorPrimitives.MultiplyAdd(probabilities, (float)multiplicity, _sum, _sum);
    }

    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public float[] ToArray()
    {
        var mean = new float[(_sum ?? throw new InvalidOperationException("A mean of nothing.")).Length];
        TensorPrimitives.Divide(_sum, Count, mean);
        return mean;
    }
}

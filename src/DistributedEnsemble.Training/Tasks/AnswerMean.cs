using System.Numerics.Tensors;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>A running mean of answers: the sum, in double and in the order of the calls, divided by how many were added.</summary>
internal sealed class AnswerMean
{
    private double[]? _sum;

    /// <summary>How many were added, each as often as it counts.</summary>
    public int Count { get; private set; }

    /// <param name="answers">[rows, width], row after row.</param>
    /// <param name="multiplicity">How often they count.</param>
    public void Add(ReadOnlySpan<double> answers, int multiplicity = 1)
    {
        Count += multiplicity;
        _sum ??= new double[answers.Length];
        if (multiplicity == 1) TensorPrimitives.Add(_sum, answers, _sum);
        else for (var i = 0; i < _sum.Length; i++) _sum[i] += answers[i] * multiplicity;
    }

    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public double[] ToArray()
    {
        var mean = new double[(_sum ?? throw new InvalidOperationException("A mean of nothing.")).Length];
        TensorPrimitives.Divide(_sum, Count, mean);
        return mean;
    }
}

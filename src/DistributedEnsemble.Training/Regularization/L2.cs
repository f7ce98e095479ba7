using System.Numerics.Tensors;

namespace DistributedEnsemble.Training;

/// <summary>The loss term λ·Σw² over weights, not over biases or batch-norm parameters, and its gradient 2λ·w.</summary>
public sealed class L2(double lambda)
{
    /// <summary>The value of the term.</summary>
    public double Term(Weights weights)
    {
        if (lambda == 0) return 0;
        var parameters = weights.Parameters.Span;
        var sum = 0.0;
        foreach (var range in weights.Layout.Decayed)
        {
            foreach (var weight in parameters[range]) sum += (double)weight * weight;
        }

        return lambda * sum;
    }

    /// <summary>Adds the gradient of the term to that of the data.</summary>
    public void AddGradient(Weights weights)
    {
        if (lambda == 0) return;
        var parameters = weights.Parameters.Span;
        var gradient = weights.Gradient!.Span;
        foreach (var range in weights.Layout.Decayed)
        {
            TensorPrimitives.MultiplyAdd(parameters[range], (float)(2 * lambda), gradient[range], gradient[range]);
        }
    }
}

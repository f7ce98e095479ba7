using System.Numerics.Tensors;

namespace DistributedEnsemble.Training;

/// <summary>
/// The loss term λ·Σw² over weights, not over biases or batch-norm parameters. Its gradient 2λ·w is where the gradient of a
/// step starts, before the backward pass adds that of the data: no pass over the weights is added by it.
/// </summary>
public sealed class L2(double lambda)
{
    /// <summary>The value of the term.</summary>
    public double Term(Weights weights)
    {
        if (lambda == 0) return 0;
        var parameters = weights.Parameters.Floats();
        var sum = 0.0;
        foreach (var range in weights.Layout.Decayed)
        {
            foreach (var weight in parameters[range]) sum += (double)weight * weight;
        }

        return lambda * sum;
    }

    /// <summary>Overwrites the gradient with that of the term.</summary>
    public void StartGradient(Weights weights)
    {
        var gradient = weights.Gradient!.Floats();
        gradient.Clear();
        if (lambda == 0) return;
        var parameters = weights.Parameters.Floats();
        foreach (var range in weights.Layout.Decayed) TensorPrimitives.Multiply(parameters[range], (float)(2 * lambda), gradient[range]);
    }
}

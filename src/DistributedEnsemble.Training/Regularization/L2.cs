using System.Numerics.Tensors;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Regularization;

/// <summary>The loss term λ·Σw² over weights, not over biases or batch-norm parameters, and its gradient 2λ·w.</summary>
public sealed class L2
{
    private readonly double _lambda;
    private readonly Team _team;
    private readonly Action<int, int> _part;
    private Weights? _weights;

    public L2(double lambda) : this(lambda, Team.Alone)
    {
    }

    /// <param name="team">Whose threads add.</param>
    internal L2(double lambda, Team team) => (_lambda, _team, _part) = (lambda, team, AddPart);

    /// <summary>The value of the term.</summary>
    public double Term(Weights weights)
    {
        if (_lambda == 0) return 0;
        var parameters = weights.Parameters.Span;
        var sum = 0.0;
        foreach (var range in weights.Layout.Decayed)
        {
            foreach (var weight in parameters[range]) sum += (double)weight * weight;
        }

        return _lambda * sum;
    }

    /// <summary>Adds the gradient of the term to that of the data.</summary>
    public void AddGradient(Weights weights)
    {
        if (_lambda == 0) return;
        _weights = weights;
        _team.RunParts(weights.Layout.ParameterCount, _part);
    }

    private void AddPart(int part, int parts)
    {
        var stretch = Stretch.Of(_weights!.Layout.ParameterCount, part, parts);
        var parameters = _weights.Parameters.Span;
        var gradient = _weights.Gradient!.Span;
        foreach (var range in _weights.Layout.Decayed)
        {
            var decayed = stretch.And(range);
            TensorPrimitives.MultiplyAdd(decayed.Of(parameters), (float)(2 * _lambda), decayed.Of(gradient), decayed.Of(gradient));
        }
    }
}

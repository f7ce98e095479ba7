using System.Numerics;
using System.Runtime.InteropServices;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Optimizers;

/// <summary>v ← μ·v + g, w ← w − α·v: gradient descent with momentum in PyTorch's form (Sutskever et al., 2013).</summary>
internal sealed class StochasticGradientDescent(WeightLayout layout, double momentum, double weightDecay, Team? team = null)
    : Optimizer(layout, weightDecay, OptimizerKind.Sgd, team)
{
    private readonly float _momentum = (float)momentum;

    private protected override void Update(Span<float> parameters, ReadOnlySpan<float> gradient, Stretch stretch, int step, double rate)
    {
        var velocity = StateVector(0, stretch);
        var alpha = (float)rate;
        var w = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var g = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var v = MemoryMarshal.Cast<float, Vector<float>>(velocity);
        for (var i = 0; i < w.Length; i++)
        {
            v[i] = v[i] * _momentum + g[i];
            w[i] -= v[i] * alpha;
        }

        for (var i = w.Length * Vector<float>.Count; i < parameters.Length; i++)
        {
            velocity[i] = velocity[i] * _momentum + gradient[i];
            parameters[i] -= velocity[i] * alpha;
        }
    }
}

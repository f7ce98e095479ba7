using System.Numerics;
using System.Runtime.InteropServices;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Optimizers;

/// <summary>
/// Adam (Kingma and Ba, 2015, algorithm 1): m ← β₁m + (1−β₁)g, s ← β₂s + (1−β₂)g², w ← w − α·m̂/(√ŝ + ε) with the
/// bias-corrected m̂ = m/(1−β₁ᵗ), ŝ = s/(1−β₂ᵗ). With decoupled weight decay it is AdamW.
/// </summary>
internal sealed class Adam(WeightLayout layout, double beta1, double beta2, double epsilon, double weightDecay, Team? team = null)
    : Optimizer(layout, weightDecay, OptimizerKind.Adam, team)
{
    private readonly float _beta1 = (float)beta1, _beta2 = (float)beta2;
    private readonly float _rest1 = (float)(1 - beta1), _rest2 = (float)(1 - beta2);
    private readonly float _epsilon = (float)epsilon;

    private protected override void Update(Span<float> parameters, ReadOnlySpan<float> gradient, Stretch stretch, int step, double rate)
    {
        var first = StateVector(0, stretch);
        var second = StateVector(1, stretch);
        var alpha = (float)(rate / Exactly.OneMinusPower(beta1, step));
        var correction = (float)(1 / Math.Sqrt(Exactly.OneMinusPower(beta2, step)));
        var w = MemoryMarshal.Cast<float, Vector<float>>(parameters);
        var g = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var m = MemoryMarshal.Cast<float, Vector<float>>(first);
        var s = MemoryMarshal.Cast<float, Vector<float>>(second);
        var epsilons = new Vector<float>(_epsilon);
        for (var i = 0; i < w.Length; i++)
        {
            m[i] = m[i] * _beta1 + g[i] * _rest1;
            s[i] = s[i] * _beta2 + g[i] * g[i] * _rest2;
            w[i] -= m[i] * alpha / (Vector.SquareRoot(s[i]) * correction + epsilons);
        }

        for (var i = w.Length * Vector<float>.Count; i < parameters.Length; i++)
        {
            first[i] = first[i] * _beta1 + gradient[i] * _rest1;
            second[i] = second[i] * _beta2 + gradient[i] * gradient[i] * _rest2;
            parameters[i] -= first[i] * alpha / (MathF.Sqrt(second[i]) * correction + _epsilon);
        }
    }
}

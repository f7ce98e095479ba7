using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Optimizers;

/// <summary>v ← μ·v + g, w ← w − α·v: gradient descent with momentum in PyTorch's form (Sutskever et al., 2013).</summary>
internal sealed unsafe class StochasticGradientDescent(WeightLayout layout, double momentum, double weightDecay, Team? team = null)
    : Optimizer(layout, weightDecay, OptimizerKind.Sgd, team)
{
    private readonly float _momentum = (float)momentum;

    private protected override void Update(Span<float> parameters, ReadOnlySpan<float> gradient, Stretch stretch, int step, double rate)
    {
        fixed (float* w = parameters, g = gradient, v = StateVector(0, stretch))
        {
            nint done = 0;
            if (Vector512.IsHardwareAccelerated) done = Update<Width512, Vector512<float>>(w, g, v, done, parameters.Length, (float)rate);
            if (Vector256.IsHardwareAccelerated) done = Update<Width256, Vector256<float>>(w, g, v, done, parameters.Length, (float)rate);
            if (Vector128.IsHardwareAccelerated) done = Update<Width128, Vector128<float>>(w, g, v, done, parameters.Length, (float)rate);
            Update<Width32, float>(w, g, v, done, parameters.Length, (float)rate);
        }
    }

    /// <returns>Where the parameters begin that do not fill a vector.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private nint Update<TWidth, TVector>(float* w, float* g, float* v, nint first, nint length, float alpha)
        where TWidth : IWidth<TVector> where TVector : struct
    {
        var (momentum, rate) = (TWidth.Of(_momentum), TWidth.Of(alpha));
        for (; first <= length - TWidth.Count; first += TWidth.Count)
        {
            var velocity = TWidth.Add(TWidth.Multiply(TWidth.Load(ref v[first]), momentum), TWidth.Load(ref g[first]));
            TWidth.Store(velocity, ref v[first]);
            TWidth.Store(TWidth.Subtract(TWidth.Load(ref w[first]), TWidth.Multiply(velocity, rate)), ref w[first]);
        }

        return first;
    }
}

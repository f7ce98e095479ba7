using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>log(1 + e^x) = max(x, 0) + log(1 + t), t = e^−|x|; what 1 + t loses of t is given back in first order.</summary>
internal readonly struct SoftplusOf : IFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x) where TWidth : IWidth<TVector> where TVector : struct
    {
        var (zero, one) = (TWidth.Of(0), TWidth.Of(1));
        var isNegative = TWidth.Less(x, zero);
        var t = Exponential.Of<TWidth, TVector>(TWidth.Select(isNegative, x, TWidth.Subtract(zero, x)));
        var u = TWidth.Add(one, t);
        var lost = TWidth.Divide(TWidth.Subtract(t, TWidth.Subtract(u, one)), u);
        var rest = TWidth.Add(Logarithm.Of<TWidth, TVector>(u), lost);
        return TWidth.Add(TWidth.Select(isNegative, zero, x), rest);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// Sums in one fixed order: sixteen of them, each of every sixteenth number, are added up in halves, then the numbers that are
/// left over one by one. <see cref="Vector512{T}"/> is two or four vectors on machines that have shorter ones.
/// </summary>
internal static unsafe class Sums
{
    /// <summary>Σ x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Of(float* x, int length)
    {
        var sums = Vector512<float>.Zero;
        var i = 0;
        for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count) sums += Vector512.Load(x + i);
        var sum = Add(sums);
        for (; i < length; i++) sum += x[i];
        return sum;
    }

    /// <summary>Σ (x − mean)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float OfSquares(float* x, float mean, int length)
    {
        var sums = Vector512<float>.Zero;
        var means = Vector512.Create(mean);
        var i = 0;
        for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var difference = Vector512.Load(x + i) - means;
            sums = Vector512.FusedMultiplyAdd(difference, difference, sums);
        }

        var sum = Add(sums);
        for (; i < length; i++) sum = MathF.FusedMultiplyAdd(x[i] - mean, x[i] - mean, sum);
        return sum;
    }

    /// <summary>Σ (x − mean)·y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float OfProducts(float* x, float mean, float* y, int length)
    {
        var sums = Vector512<float>.Zero;
        var means = Vector512.Create(mean);
        var i = 0;
        for (; i <= length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            sums = Vector512.FusedMultiplyAdd(Vector512.Load(x + i) - means, Vector512.Load(y + i), sums);
        }

        var sum = Add(sums);
        for (; i < length; i++) sum = MathF.FusedMultiplyAdd(x[i] - mean, y[i], sum);
        return sum;
    }

    private static float Add(Vector512<float> sums)
    {
        var eight = sums.GetLower() + sums.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}

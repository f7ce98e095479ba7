using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>e^x = 2ⁿ·e^r with n = round(x/ln 2), |r| ≤ ln 2/2, and Taylor's polynomial of degree 7 for e^r.</summary>
internal readonly struct Exponential : IFunction
{
    /// <summary>Beyond these the result is infinity or 0.</summary>
    private const float Most = 89f, Least = -104f;

    /// <summary>3·2²²: what is added to it is rounded to an integer, which its low bits then hold.</summary>
    private const float Rounding = 12582912f;

    /// <summary>ln 2 in two parts; the first has 9 bits, so that its multiples are exact.</summary>
    private const float Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x) where TWidth : IWidth<TVector> where TVector : struct
    {
        x = TWidth.Select(TWidth.Less(TWidth.Of(Most), x), TWidth.Of(Most), x);
        x = TWidth.Select(TWidth.Less(x, TWidth.Of(Least)), TWidth.Of(Least), x);
        var rounded = TWidth.MultiplyAdd(x, TWidth.Of(1.44269504f), TWidth.Of(Rounding));
        var n = TWidth.Subtract(rounded, TWidth.Of(Rounding));
        var r = TWidth.MultiplyAdd(n, TWidth.Of(-Ln2High), x);
        r = TWidth.MultiplyAdd(n, TWidth.Of(-Ln2Low), r);

        var p = TWidth.Of(1f / 5040);
        p = TWidth.MultiplyAdd(p, r, TWidth.Of(1f / 720));
        p = TWidth.MultiplyAdd(p, r, TWidth.Of(1f / 120));
        p = TWidth.MultiplyAdd(p, r, TWidth.Of(1f / 24));
        p = TWidth.MultiplyAdd(p, r, TWidth.Of(1f / 6));
        p = TWidth.MultiplyAdd(p, r, TWidth.Of(1f / 2));
        p = TWidth.MultiplyAdd(TWidth.Multiply(r, r), p, r);
        p = TWidth.Add(p, TWidth.Of(1));

        // 2ⁿ in two factors: alone it may be beyond the exponents that a float32 has.
        var exponent = TWidth.ShiftRight(TWidth.ShiftLeft(rounded, 10), 10);
        var half = TWidth.ShiftRight(exponent, 1);
        var rest = TWidth.ShiftRight(TWidth.AddBits(exponent, TWidth.Of(BitConverter.Int32BitsToSingle(1))), 1);
        return TWidth.Multiply(TWidth.Multiply(p, PowerOfTwo<TWidth, TVector>(half)), PowerOfTwo<TWidth, TVector>(rest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector PowerOfTwo<TWidth, TVector>(TVector exponent) where TWidth : IWidth<TVector> where TVector : struct =>
        TWidth.AddBits(TWidth.ShiftLeft(exponent, 23), TWidth.Of(1));
}

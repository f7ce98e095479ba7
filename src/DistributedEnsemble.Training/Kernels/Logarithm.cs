using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// log x = n·ln 2 + log(1 + f), √½ ≤ 1 + f &lt; √2, with log(1 + f) = f − (f²/2 − s·(f²/2 + R)), s = f/(2 + f) and the series
/// R = 2s²/3 + 2s⁴/5 + … + 2s¹⁰/11.
/// </summary>
internal readonly struct Logarithm : IFunction
{
    /// <summary>ln 2 in two parts; the first has 9 bits, so that its multiples are exact.</summary>
    private const float Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;

    private const float SmallestNormal = 1.17549435e-38f, TwoTo23 = 8388608f;
    private const int BitsOfOne = 0x3F800000, BitsOfRootOfHalf = 0x3F3504F3, MantissaBits = 0x007FFFFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of<TWidth, TVector>(TVector x) where TWidth : IWidth<TVector> where TVector : struct
    {
        var small = TWidth.Less(x, TWidth.Of(SmallestNormal));
        var normal = TWidth.Select(small, TWidth.Multiply(x, TWidth.Of(TwoTo23)), x);
        // Bits are moved so that the exponent's change at √2·2ⁿ; 2²³ with an integer as its low bits is their sum.
        var shifted = TWidth.AddBits(normal, Bits<TWidth, TVector>(BitsOfOne - BitsOfRootOfHalf));
        var n = TWidth.Subtract(
            TWidth.AddBits(TWidth.ShiftRight(shifted, 23), TWidth.Of(TwoTo23)),
            TWidth.Select(small, TWidth.Of(TwoTo23 + 127 + 23), TWidth.Of(TwoTo23 + 127)));
        var mantissa = TWidth.And(shifted, Bits<TWidth, TVector>(MantissaBits));
        var f = TWidth.Subtract(TWidth.AddBits(mantissa, Bits<TWidth, TVector>(BitsOfRootOfHalf)), TWidth.Of(1));

        var s = TWidth.Divide(f, TWidth.Add(TWidth.Of(2), f));
        var z = TWidth.Multiply(s, s);
        var r = TWidth.Of(2f / 11);
        r = TWidth.MultiplyAdd(r, z, TWidth.Of(2f / 9));
        r = TWidth.MultiplyAdd(r, z, TWidth.Of(2f / 7));
        r = TWidth.MultiplyAdd(r, z, TWidth.Of(2f / 5));
        r = TWidth.MultiplyAdd(r, z, TWidth.Of(2f / 3));
        var half = TWidth.Multiply(TWidth.Of(0.5f), TWidth.Multiply(f, f));
        var correction = TWidth.MultiplyAdd(s, TWidth.MultiplyAdd(r, z, half), TWidth.Multiply(n, TWidth.Of(Ln2Low)));
        var logarithm = TWidth.MultiplyAdd(n, TWidth.Of(Ln2High), TWidth.Subtract(f, TWidth.Subtract(half, correction)));

        var ofPositive = TWidth.Select(TWidth.Less(x, TWidth.Of(float.PositiveInfinity)), logarithm, x);
        var ofOthers = TWidth.Select(
            TWidth.Less(x, TWidth.Of(0)), TWidth.Of(float.NaN), TWidth.Add(x, TWidth.Of(float.NegativeInfinity)));
        return TWidth.Select(TWidth.Less(TWidth.Of(0), x), ofPositive, ofOthers);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Bits<TWidth, TVector>(int bits) where TWidth : IWidth<TVector> where TVector : struct =>
        TWidth.Of(BitConverter.Int32BitsToSingle(bits));
}

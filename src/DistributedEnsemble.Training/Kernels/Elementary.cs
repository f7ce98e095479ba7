using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// exp, log and softplus of our own: a C library's differ from one version to the next, and then so would weights and
/// predictions. A span's elements have the bits that the function of one number gives, whatever the machine's vectors.
/// </summary>
/// <remarks>
/// Errors, in units in the last place of the result (of the smallest number, where it is denormal): <see cref="Exp(float)"/> at
/// most 1.05, <see cref="Log(float)"/> 1, <see cref="Softplus(float)"/> 2.
/// </remarks>
public static class Elementary
{
    /// <summary>e^x; 0 and infinity where float32 ends.</summary>
    public static float Exp(float x) => Exponential.Of<Width32, float>(x);

    /// <summary>The natural logarithm; −∞ of ±0, and not a number below it.</summary>
    public static float Log(float x) => Logarithm.Of<Width32, float>(x);

    /// <summary>log(1 + e^x).</summary>
    public static float Softplus(float x) => SoftplusOf.Of<Width32, float>(x);

    /// <inheritdoc cref="Exp(float)"/>
    /// <param name="y">As long as <paramref name="x"/>; may be the same memory.</param>
    public static void Exp(ReadOnlySpan<float> x, Span<float> y) => Apply<Exponential>(x, y);

    /// <inheritdoc cref="Log(float)"/>
    /// <param name="y">As long as <paramref name="x"/>; may be the same memory.</param>
    public static void Log(ReadOnlySpan<float> x, Span<float> y) => Apply<Logarithm>(x, y);

    /// <inheritdoc cref="Softplus(float)"/>
    /// <param name="y">As long as <paramref name="x"/>; may be the same memory.</param>
    public static void Softplus(ReadOnlySpan<float> x, Span<float> y) => Apply<SoftplusOf>(x, y);

    private static void Apply<TFunction>(ReadOnlySpan<float> x, Span<float> y) where TFunction : IFunction
    {
        if (x.Length != y.Length) throw new ArgumentException($"{x.Length} numbers do not fit into {y.Length}.", nameof(y));
        var done = Vector512.IsHardwareAccelerated ? Apply<TFunction, Width512, Vector512<float>>(x, y, 0) : 0;
        if (Vector256.IsHardwareAccelerated) done = Apply<TFunction, Width256, Vector256<float>>(x, y, done);
        if (Vector128.IsHardwareAccelerated) done = Apply<TFunction, Width128, Vector128<float>>(x, y, done);
        Apply<TFunction, Width32, float>(x, y, done);
    }

    /// <returns>Where the elements begin that do not fill a vector.</returns>
    internal static int Apply<TFunction, TWidth, TVector>(ReadOnlySpan<float> x, Span<float> y, int first)
        where TFunction : IFunction where TWidth : IWidth<TVector> where TVector : struct
    {
        ref var source = ref MemoryMarshal.GetReference(x);
        ref var target = ref MemoryMarshal.GetReference(y);
        for (; first <= x.Length - TWidth.Count; first += TWidth.Count)
        {
            TWidth.Store(TFunction.Of<TWidth, TVector>(TWidth.Load(ref Unsafe.Add(ref source, first))), ref Unsafe.Add(ref target, first));
        }

        return first;
    }
}

/// <summary>A function of one number, at every width.</summary>
internal interface IFunction
{
    static abstract TVector Of<TWidth, TVector>(TVector x) where TWidth : IWidth<TVector> where TVector : struct;
}

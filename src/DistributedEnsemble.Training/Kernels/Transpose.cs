using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>Exchanges rows and columns in registers: number by number it would take as long as a quarter of a product.</summary>
internal static unsafe class Transpose
{
    /// <summary>Columns that lie one after the other become rows.</summary>
    /// <param name="sourceStride">From one column to the next.</param>
    /// <param name="length">Of a column.</param>
    /// <param name="targetStride">From one row to the next.</param>
    public static void Copy(float* source, nint sourceStride, int columns, int length, float* target, nint targetStride)
    {
        var column = 0;
        if (Avx.IsSupported)
        {
            for (; column <= columns - 8; column += 8) EightColumns(source + column * sourceStride, sourceStride, length, target + column, targetStride);
        }

        if (Sse.IsSupported)
        {
            for (; column <= columns - 4; column += 4) FourColumns(source + column * sourceStride, sourceStride, length, target + column, targetStride);
        }

        for (; column < columns; column++)
        {
            for (var k = 0; k < length; k++) target[k * targetStride + column] = source[column * sourceStride + k];
        }
    }

    /// <summary>
    /// Eight numbers of each of eight columns, in registers: as 4×4 blocks that are rows already, two in each result. Row i is the lower
    /// halves (0x20) of results i and i + 4, and row i + 4 their upper ones (0x31).
    /// </summary>
    /// <param name="sourceStride">From one column to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarters(
        float* source, nint sourceStride, out Vector256<float> u0, out Vector256<float> u1, out Vector256<float> u2, out Vector256<float> u3,
        out Vector256<float> u4, out Vector256<float> u5, out Vector256<float> u6, out Vector256<float> u7)
    {
        var (r0, r1) = (Vector256.Load(source), Vector256.Load(source + sourceStride));
        var (r2, r3) = (Vector256.Load(source + 2 * sourceStride), Vector256.Load(source + 3 * sourceStride));
        var (r4, r5) = (Vector256.Load(source + 4 * sourceStride), Vector256.Load(source + 5 * sourceStride));
        var (r6, r7) = (Vector256.Load(source + 6 * sourceStride), Vector256.Load(source + 7 * sourceStride));
        var (t0, t1) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1));
        var (t2, t3) = (Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
        var (t4, t5) = (Avx.UnpackLow(r4, r5), Avx.UnpackHigh(r4, r5));
        var (t6, t7) = (Avx.UnpackLow(r6, r7), Avx.UnpackHigh(r6, r7));
        (u0, u1) = (Avx.Shuffle(t0, t2, 0x44), Avx.Shuffle(t0, t2, 0xEE));
        (u2, u3) = (Avx.Shuffle(t1, t3, 0x44), Avx.Shuffle(t1, t3, 0xEE));
        (u4, u5) = (Avx.Shuffle(t4, t6, 0x44), Avx.Shuffle(t4, t6, 0xEE));
        (u6, u7) = (Avx.Shuffle(t5, t7, 0x44), Avx.Shuffle(t5, t7, 0xEE));
    }

    /// <summary>Eight columns that lie one after the other become rows of eight.</summary>
    /// <param name="sourceStride">From one column to the next.</param>
    /// <param name="targetStride">From one row to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightColumns(float* source, nint sourceStride, int length, float* target, nint targetStride)
    {
        var k = 0;
        for (; k <= length - 8; k += 8, source += 8, target += 8 * targetStride)
        {
            Quarters(source, sourceStride, out var u0, out var u1, out var u2, out var u3, out var u4, out var u5, out var u6, out var u7);
            Avx.Permute2x128(u0, u4, 0x20).Store(target);
            Avx.Permute2x128(u1, u5, 0x20).Store(target + targetStride);
            Avx.Permute2x128(u2, u6, 0x20).Store(target + 2 * targetStride);
            Avx.Permute2x128(u3, u7, 0x20).Store(target + 3 * targetStride);
            Avx.Permute2x128(u0, u4, 0x31).Store(target + 4 * targetStride);
            Avx.Permute2x128(u1, u5, 0x31).Store(target + 5 * targetStride);
            Avx.Permute2x128(u2, u6, 0x31).Store(target + 6 * targetStride);
            Avx.Permute2x128(u3, u7, 0x31).Store(target + 7 * targetStride);
        }

        for (; k < length; k++, source++, target += targetStride)
        {
            for (var column = 0; column < 8; column++) target[column] = source[column * sourceStride];
        }
    }

    /// <summary>Four columns that lie one after the other become rows of four.</summary>
    /// <inheritdoc cref="EightColumns"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourColumns(float* source, nint sourceStride, int length, float* target, nint targetStride)
    {
        var k = 0;
        for (; k <= length - 4; k += 4, source += 4, target += 4 * targetStride)
        {
            var (r0, r1) = (Vector128.Load(source), Vector128.Load(source + sourceStride));
            var (r2, r3) = (Vector128.Load(source + 2 * sourceStride), Vector128.Load(source + 3 * sourceStride));
            var (t0, t1) = (Sse.UnpackLow(r0, r1), Sse.UnpackHigh(r0, r1));
            var (t2, t3) = (Sse.UnpackLow(r2, r3), Sse.UnpackHigh(r2, r3));
            Sse.MoveLowToHigh(t0, t2).Store(target);
            Sse.MoveHighToLow(t2, t0).Store(target + targetStride);
            Sse.MoveLowToHigh(t1, t3).Store(target + 2 * targetStride);
            Sse.MoveHighToLow(t3, t1).Store(target + 3 * targetStride);
        }

        for (; k < length; k++, source++, target += targetStride)
        {
            for (var column = 0; column < 4; column++) target[column] = source[column * sourceStride];
        }
    }
}

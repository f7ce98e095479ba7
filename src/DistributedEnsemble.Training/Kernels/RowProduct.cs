using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The product of one row with a transposed matrix, as a prediction of one row needs it: each number of the matrix is used once, so
/// eight columns of it become rows in registers and are multiplied there, where other products first copy them into panels. Each
/// element is the chain that it is in any product.
/// </summary>
internal static unsafe class RowProduct
{
    /// <summary>Columns at a time: four chains of eight hide each other's latency.</summary>
    private const int Wide = 32, Narrow = 8;

    public static bool IsSupported => Vector256.IsHardwareAccelerated && Avx.IsSupported && Fma.IsSupported;

    /// <param name="a">One row.</param>
    /// <param name="b">Each of its columns lies without gaps.</param>
    /// <returns>How many columns are computed, from the first: all but the last few.</returns>
    /// <inheritdoc cref="MatrixProduct.Compute"/>
    public static int Compute(int columns, int depth, Matrix a, Matrix b, float* c, ProductStart start, float* bias, bool isRectified)
    {
        var column = 0;
        for (; column <= columns - Wide; column += Wide) Columns<Four>(depth, a, b.From(0, column), c + column, start, Bias(), isRectified);
        for (; column <= columns - Narrow; column += Narrow) Columns<One>(depth, a, b.From(0, column), c + column, start, Bias(), isRectified);
        return column;

        float* Bias() => start == ProductStart.BiasOfColumns ? bias + column : bias;
    }

    /// <typeparam name="TEights">Eights of columns.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<TEights>(int depth, Matrix a, Matrix b, float* c, ProductStart start, float* bias, bool isRectified) where TEights : INumber
    {
        float* row = a.Start, w = b.Start;
        nint step = a.ColumnStride, stride = b.ColumnStride;
        var (c0, c1, c2, c3) = (First(0), default(Vector256<float>), default(Vector256<float>), default(Vector256<float>));
        if (TEights.Value > 1) (c1, c2, c3) = (First(1), First(2), First(3));
        var k = 0;
        for (; k <= depth - 8; k += 8, row += 8 * step, w += 8)
        {
            c0 = Eight(row, step, w, stride, c0);
            if (TEights.Value == 1) continue;
            c1 = Eight(row, step, w + 8 * stride, stride, c1);
            c2 = Eight(row, step, w + 16 * stride, stride, c2);
            c3 = Eight(row, step, w + 24 * stride, stride, c3);
        }

        for (; k < depth; k++, row += step, w++)
        {
            c0 = Single(*row, w, stride, c0);
            if (TEights.Value == 1) continue;
            c1 = Single(*row, w + 8 * stride, stride, c1);
            c2 = Single(*row, w + 16 * stride, stride, c2);
            c3 = Single(*row, w + 24 * stride, stride, c3);
        }

        Store(c0, c, isRectified);
        if (TEights.Value == 1) return;
        Store(c1, c + 8, isRectified);
        Store(c2, c + 16, isRectified);
        Store(c3, c + 24, isRectified);

        Vector256<float> First(int eight) => start switch
        {
            ProductStart.Sum => Vector256.Load(c + 8 * eight),
            ProductStart.BiasOfColumns => Vector256.Load(bias + 8 * eight),
            ProductStart.BiasOfRows => Vector256.Create(*bias),
            _ => default,
        };
    }

    /// <summary>Goes on with the chains of eight columns by eight numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Eight(float* row, nint step, float* w, nint stride, Vector256<float> sum)
    {
        Transpose.Quarters(w, stride, out var u0, out var u1, out var u2, out var u3, out var u4, out var u5, out var u6, out var u7);
        sum = Add(row[0], Avx.Permute2x128(u0, u4, 0x20), sum);
        sum = Add(row[step], Avx.Permute2x128(u1, u5, 0x20), sum);
        sum = Add(row[2 * step], Avx.Permute2x128(u2, u6, 0x20), sum);
        sum = Add(row[3 * step], Avx.Permute2x128(u3, u7, 0x20), sum);
        sum = Add(row[4 * step], Avx.Permute2x128(u0, u4, 0x31), sum);
        sum = Add(row[5 * step], Avx.Permute2x128(u1, u5, 0x31), sum);
        sum = Add(row[6 * step], Avx.Permute2x128(u2, u6, 0x31), sum);
        return Add(row[7 * step], Avx.Permute2x128(u3, u7, 0x31), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Single(float factor, float* w, nint stride, Vector256<float> sum) => Add(factor, Vector256.Create(
        w[0], w[stride], w[2 * stride], w[3 * stride], w[4 * stride], w[5 * stride], w[6 * stride], w[7 * stride]), sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(float factor, Vector256<float> numbers, Vector256<float> sum) => Width256.MultiplyAdd(Vector256.Create(factor), numbers, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> sum, float* c, bool isRectified) =>
        (isRectified ? Vector256.ConditionalSelect(Vector256.LessThan(sum, default), default, sum) : sum).Store(c);
}

using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// A tile of a product, held in registers: up to eight rows, and columns of one or two vectors. Each element is one chain of fused
/// multiply-adds in the order of k: it has the same bits in a tile of any shape.
/// </summary>
internal static unsafe class ProductTile
{
    /// <param name="a">The tile's rows of A.</param>
    /// <param name="b">The tile's columns of B, row after row.</param>
    /// <param name="places">Where they are, if not at equal distances.</param>
    /// <param name="c">The tile of C, in and out.</param>
    /// <param name="bias">Of the tile's columns, or of its rows.</param>
    /// <param name="isRectified">Whether negative results become 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Continue<TWidth, TVector, TRows, TVectors, TPlaces>(
        Matrix a, float* b, nint bStride, Places places, float* c, nint cStride, int depth, ProductStart start, float* bias, bool isRectified)
        where TWidth : IWidth<TVector> where TVector : struct where TRows : INumber where TVectors : INumber where TPlaces : IPlaces
    {
        var step = a.ColumnStride;
        float* a0 = TPlaces.RowOfA(a, places, 0);
        float* a1 = TRows.Value > 1 ? TPlaces.RowOfA(a, places, 1) : a0;
        float* a2 = TRows.Value > 2 ? TPlaces.RowOfA(a, places, 2) : a0;
        float* a3 = TRows.Value > 3 ? TPlaces.RowOfA(a, places, 3) : a0;
        float* a4 = TRows.Value > 4 ? TPlaces.RowOfA(a, places, 4) : a0;
        float* a5 = TRows.Value > 5 ? TPlaces.RowOfA(a, places, 5) : a0;
        float* a6 = TRows.Value > 6 ? TPlaces.RowOfA(a, places, 6) : a0;
        float* a7 = TRows.Value > 7 ? TPlaces.RowOfA(a, places, 7) : a0;
        TVector c0, c1, c2, c3, c4, c5, c6, c7;
        TVector d0, d1, d2, d3, d4, d5, d6, d7;
        switch (start)
        {
            case ProductStart.Sum:
                c0 = TRows.Value > 0 ? TWidth.Load(ref (c)[0]) : default;
                d0 = TRows.Value > 0 && TVectors.Value > 1 ? TWidth.Load(ref (c)[TWidth.Count]) : default;
                c1 = TRows.Value > 1 ? TWidth.Load(ref (c + 1 * cStride)[0]) : default;
                d1 = TRows.Value > 1 && TVectors.Value > 1 ? TWidth.Load(ref (c + 1 * cStride)[TWidth.Count]) : default;
                c2 = TRows.Value > 2 ? TWidth.Load(ref (c + 2 * cStride)[0]) : default;
                d2 = TRows.Value > 2 && TVectors.Value > 1 ? TWidth.Load(ref (c + 2 * cStride)[TWidth.Count]) : default;
                c3 = TRows.Value > 3 ? TWidth.Load(ref (c + 3 * cStride)[0]) : default;
                d3 = TRows.Value > 3 && TVectors.Value > 1 ? TWidth.Load(ref (c + 3 * cStride)[TWidth.Count]) : default;
                c4 = TRows.Value > 4 ? TWidth.Load(ref (c + 4 * cStride)[0]) : default;
                d4 = TRows.Value > 4 && TVectors.Value > 1 ? TWidth.Load(ref (c + 4 * cStride)[TWidth.Count]) : default;
                c5 = TRows.Value > 5 ? TWidth.Load(ref (c + 5 * cStride)[0]) : default;
                d5 = TRows.Value > 5 && TVectors.Value > 1 ? TWidth.Load(ref (c + 5 * cStride)[TWidth.Count]) : default;
                c6 = TRows.Value > 6 ? TWidth.Load(ref (c + 6 * cStride)[0]) : default;
                d6 = TRows.Value > 6 && TVectors.Value > 1 ? TWidth.Load(ref (c + 6 * cStride)[TWidth.Count]) : default;
                c7 = TRows.Value > 7 ? TWidth.Load(ref (c + 7 * cStride)[0]) : default;
                d7 = TRows.Value > 7 && TVectors.Value > 1 ? TWidth.Load(ref (c + 7 * cStride)[TWidth.Count]) : default;
                break;
            case ProductStart.BiasOfColumns:
                c0 = TWidth.Load(ref *bias);
                d0 = TVectors.Value > 1 ? TWidth.Load(ref bias[TWidth.Count]) : default;
                c7 = c6 = c5 = c4 = c3 = c2 = c1 = c0;
                d7 = d6 = d5 = d4 = d3 = d2 = d1 = d0;
                break;
            case ProductStart.BiasOfRows:
                c0 = d0 = TRows.Value > 0 ? TWidth.Of(bias[0]) : default;
                c1 = d1 = TRows.Value > 1 ? TWidth.Of(bias[1]) : default;
                c2 = d2 = TRows.Value > 2 ? TWidth.Of(bias[2]) : default;
                c3 = d3 = TRows.Value > 3 ? TWidth.Of(bias[3]) : default;
                c4 = d4 = TRows.Value > 4 ? TWidth.Of(bias[4]) : default;
                c5 = d5 = TRows.Value > 5 ? TWidth.Of(bias[5]) : default;
                c6 = d6 = TRows.Value > 6 ? TWidth.Of(bias[6]) : default;
                c7 = d7 = TRows.Value > 7 ? TWidth.Of(bias[7]) : default;
                break;
            default:
                c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = default;
                break;
        }

        for (nint k = 0, i = 0; k < depth; k++, i += step, b += bStride)
        {
            var column = TPlaces.ColumnOfA(i, places, k);
            var row = TPlaces.RowOfB(b, places, k);
            var b0 = TWidth.Load(ref *row);
            var b1 = TVectors.Value > 1 ? TWidth.Load(ref row[TWidth.Count]) : default;
            {
                var factor = TWidth.Of(a0[column]);
                c0 = TWidth.MultiplyAdd(factor, b0, c0);
                if (TVectors.Value > 1) d0 = TWidth.MultiplyAdd(factor, b1, d0);
            }

            if (TRows.Value > 1)
            {
                var factor = TWidth.Of(a1[column]);
                c1 = TWidth.MultiplyAdd(factor, b0, c1);
                if (TVectors.Value > 1) d1 = TWidth.MultiplyAdd(factor, b1, d1);
            }

            if (TRows.Value > 2)
            {
                var factor = TWidth.Of(a2[column]);
                c2 = TWidth.MultiplyAdd(factor, b0, c2);
                if (TVectors.Value > 1) d2 = TWidth.MultiplyAdd(factor, b1, d2);
            }

            if (TRows.Value > 3)
            {
                var factor = TWidth.Of(a3[column]);
                c3 = TWidth.MultiplyAdd(factor, b0, c3);
                if (TVectors.Value > 1) d3 = TWidth.MultiplyAdd(factor, b1, d3);
            }

            if (TRows.Value > 4)
            {
                var factor = TWidth.Of(a4[column]);
                c4 = TWidth.MultiplyAdd(factor, b0, c4);
                if (TVectors.Value > 1) d4 = TWidth.MultiplyAdd(factor, b1, d4);
            }

            if (TRows.Value > 5)
            {
                var factor = TWidth.Of(a5[column]);
                c5 = TWidth.MultiplyAdd(factor, b0, c5);
                if (TVectors.Value > 1) d5 = TWidth.MultiplyAdd(factor, b1, d5);
            }

            if (TRows.Value > 6)
            {
                var factor = TWidth.Of(a6[column]);
                c6 = TWidth.MultiplyAdd(factor, b0, c6);
                if (TVectors.Value > 1) d6 = TWidth.MultiplyAdd(factor, b1, d6);
            }

            if (TRows.Value > 7)
            {
                var factor = TWidth.Of(a7[column]);
                c7 = TWidth.MultiplyAdd(factor, b0, c7);
                if (TVectors.Value > 1) d7 = TWidth.MultiplyAdd(factor, b1, d7);
            }
        }

        Store<TWidth, TVector, TVectors>(c0, d0, c, isRectified);
        if (TRows.Value > 1) Store<TWidth, TVector, TVectors>(c1, d1, c + 1 * cStride, isRectified);
        if (TRows.Value > 2) Store<TWidth, TVector, TVectors>(c2, d2, c + 2 * cStride, isRectified);
        if (TRows.Value > 3) Store<TWidth, TVector, TVectors>(c3, d3, c + 3 * cStride, isRectified);
        if (TRows.Value > 4) Store<TWidth, TVector, TVectors>(c4, d4, c + 4 * cStride, isRectified);
        if (TRows.Value > 5) Store<TWidth, TVector, TVectors>(c5, d5, c + 5 * cStride, isRectified);
        if (TRows.Value > 6) Store<TWidth, TVector, TVectors>(c6, d6, c + 6 * cStride, isRectified);
        if (TRows.Value > 7) Store<TWidth, TVector, TVectors>(c7, d7, c + 7 * cStride, isRectified);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TWidth, TVector, TVectors>(TVector c, TVector d, float* target, bool isRectified)
        where TWidth : IWidth<TVector> where TVector : struct where TVectors : INumber
    {
        if (isRectified) c = Rectified(c);
        if (isRectified && TVectors.Value > 1) d = Rectified(d);
        TWidth.Store(c, ref *target);
        if (TVectors.Value > 1) TWidth.Store(d, ref target[TWidth.Count]);

        static TVector Rectified(TVector x) => TWidth.Select(TWidth.Less(x, TWidth.Of(0)), TWidth.Of(0), x);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// C = start + A·B for matrices in native memory. Each element is one chain of fused multiply-adds in the order of k, from what
/// it starts with: its bits depend neither on the width of the machine's vectors, nor on the other rows and columns, nor on
/// where the matrices lie.
/// </summary>
/// <remarks>
/// k goes in blocks, so that a panel of B (the columns of one tile) stays in the first cache while all rows of A pass; C carries
/// the chains from one block to the next. A panel is copied where its numbers lie apart: B transposed, the last columns, or rows
/// so far apart that they fall on one place of the cache. So is A, where it is transposed and read for many panels.
/// </remarks>
internal static unsafe class MatrixProduct
{
    /// <summary>Rows of B in a block.</summary>
    private const int BlockDepth = 256;

    /// <summary>Rows of A in a block: with its depth what the second cache holds.</summary>
    private const int BlockRows = 128;

    /// <summary>Of the largest tile of any width.</summary>
    private const int TileRows = 8, TileColumns = 32;

    /// <summary>A row longer than this is copied where it is read often: its neighbours lie on other pages.</summary>
    private const int LongRow = 128;

    /// <summary>Floats of scratch memory that a product needs: a block of A, a panel of B, and a tile of C with its bias.</summary>
    public const int Scratch = BlockRows * BlockDepth + BlockDepth * TileColumns + TileRows * TileColumns + TileColumns;

    /// <param name="c">Row after row, with <paramref name="cStride"/> from one to the next.</param>
    /// <param name="bias">What the elements start from, if that is a bias.</param>
    /// <param name="isRectified">Whether negative results become 0.</param>
    /// <param name="scratch"><see cref="Scratch"/> floats, aligned to 64 bytes.</param>
    public static void Compute(
        int rows, int columns, int depth, Matrix a, Matrix b, float* c, int cStride, ProductStart start, float* bias, bool isRectified, float* scratch)
    {
        if (rows == 1 && b.RowStride == 1 && RowProduct.IsSupported)
        {
            var computed = RowProduct.Compute(columns, depth, a, b, c, start, bias, isRectified);
            columns -= computed;
            b = b.From(0, computed);
            c += computed;
            if (start == ProductStart.BiasOfColumns) bias += computed;
        }

        if (Vector512.IsHardwareAccelerated)
        {
            Blocks<Width512, Vector512<float>, Eight>(rows, columns, depth, a, b, c, cStride, start, bias, isRectified, scratch);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Blocks<Width256, Vector256<float>, Six>(rows, columns, depth, a, b, c, cStride, start, bias, isRectified, scratch);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            Blocks<Width128, Vector128<float>, Six>(rows, columns, depth, a, b, c, cStride, start, bias, isRectified, scratch);
        }
        else
        {
            Blocks<Width32, float, Six>(rows, columns, depth, a, b, c, cStride, start, bias, isRectified, scratch);
        }
    }

    /// <typeparam name="TRows">Of the largest tile: the accumulators of two vectors a row must fit into the registers.</typeparam>
    internal static void Blocks<TWidth, TVector, TRows>(
        int rows, int columns, int depth, Matrix a, Matrix b, float* c, int cStride, ProductStart start, float* bias, bool isRectified, float* scratch)
        where TWidth : IWidth<TVector> where TVector : struct where TRows : INumber
    {
        if (rows == 0 || columns == 0) return;
        var blocks = Math.Max(1, (depth + BlockDepth - 1) / BlockDepth);
        for (var block = 0; block < blocks; block++)
        {
            var (first, end) = ((int)((long)depth * block / blocks), (int)((long)depth * (block + 1) / blocks));
            for (var row = 0; row < rows; row += BlockRows)
            {
                Panels<TWidth, TVector, TRows>(
                    Math.Min(BlockRows, rows - row), columns, end - first, a.From(row, first), b.From(first, 0), c + (nint)row * cStride, cStride,
                    block == 0 ? start : ProductStart.Sum, start == ProductStart.BiasOfRows ? bias + row : bias,
                    isRectified && block == blocks - 1, scratch);
            }
        }
    }

    private static void Panels<TWidth, TVector, TRows>(
        int rows, int columns, int depth, Matrix a, Matrix b, float* c, int cStride, ProductStart start, float* bias, bool isRectified, float* scratch)
        where TWidth : IWidth<TVector> where TVector : struct where TRows : INumber
    {
        var areColumnsCopied = b.ColumnStride != 1 || (b.RowStride > LongRow && rows > 2 * TRows.Value);
        var areRowsCopied = a.RowStride == 1 && a.ColumnStride > LongRow && columns > 4 * TWidth.Count;
        var copiedRows = scratch;
        var panel = copiedRows + BlockRows * BlockDepth;
        var tile = panel + BlockDepth * TileColumns;
        var tileBias = tile + TileRows * TileColumns;
        var tiles = (rows + TRows.Value - 1) / TRows.Value;
        for (var i = 0; areRowsCopied && i < tiles; i++)
        {
            var (row, end) = Tile(i);
            CopyRows(a.From(row, 0).Start, a.ColumnStride, copiedRows + row * depth, end - row, depth, end - row);
        }

        for (var column = 0; column < columns; column += 2 * TWidth.Count)
        {
            var width = Math.Min(2 * TWidth.Count, columns - column);
            var isWide = width > TWidth.Count;
            var full = isWide ? 2 * TWidth.Count : TWidth.Count;
            var source = b.From(0, column).Start;
            var stride = b.RowStride;
            if (areColumnsCopied || width < full)
            {
                CopyPanel(b.From(0, column), depth, width, full, panel);
                source = panel;
                stride = full;
            }

            if (start == ProductStart.BiasOfColumns && width < full) new Span<float>(bias + column, width).CopyTo(new Span<float>(tileBias, full));
            var biasOfTile = start != ProductStart.BiasOfColumns ? bias : width < full ? tileBias : bias + column;
            for (var i = 0; i < tiles; i++)
            {
                var (row, end) = Tile(i);
                var rowsOfTile = areRowsCopied ? new Matrix(copiedRows + row * depth, 1, end - row) : a.From(row, 0);
                var target = c + (nint)row * cStride + column;
                var rowBias = start == ProductStart.BiasOfRows ? bias + row : biasOfTile;
                if (width == full)
                {
                    Tile<TWidth, TVector, Strided>(end - row, isWide, rowsOfTile, source, stride, default, target, cStride, depth, start, rowBias, isRectified);
                    continue;
                }

                if (start == ProductStart.Sum) CopyRows(target, cStride, tile, full, end - row, width);
                Tile<TWidth, TVector, Strided>(end - row, isWide, rowsOfTile, source, stride, default, tile, full, depth, start, rowBias, isRectified);
                CopyRows(tile, full, target, cStride, end - row, width);
            }
        }

        (int Row, int End) Tile(int i) => (rows * i / tiles, rows * (i + 1) / tiles);
    }

    /// <summary>Copies rows by two vectors that may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows(float* source, nint sourceStride, float* target, nint targetStride, int rows, int columns)
    {
        for (; rows > 0; rows--, source += sourceStride, target += targetStride)
        {
            switch (columns)
            {
                case >= 16:
                    Vector512.Load(source).Store(target);
                    Vector512.Load(source + columns - 16).Store(target + columns - 16);
                    break;
                case >= 8:
                    Vector256.Load(source).Store(target);
                    Vector256.Load(source + columns - 8).Store(target + columns - 8);
                    break;
                case >= 4:
                    Vector128.Load(source).Store(target);
                    Vector128.Load(source + columns - 4).Store(target + columns - 4);
                    break;
                default:
                    for (var column = 0; column < columns; column++) target[column] = source[column];
                    break;
            }
        }
    }

    /// <summary>A panel's numbers one after the other, with zeros in place of columns that are not there.</summary>
    private static void CopyPanel(Matrix b, int depth, int columns, int full, float* panel)
    {
        if (columns < full) new Span<float>(panel, depth * full).Clear();
        if (b.ColumnStride == 1)
        {
            CopyRows(b.Start, b.RowStride, panel, full, depth, columns);
            return;
        }

        if (b.RowStride == 1)
        {
            Transpose.Copy(b.Start, b.ColumnStride, columns, depth, panel, full);
            return;
        }

        for (var column = 0; column < columns; column++)
        {
            var source = b.Start + column * b.ColumnStride;
            var target = panel + column;
            for (var k = 0; k < depth; k++, source += b.RowStride, target += full) *target = *source;
        }
    }

    internal static void Tile<TWidth, TVector, TPlaces>(
        int rows, bool isWide, Matrix a, float* b, nint bStride, Places places, float* c, nint cStride, int depth, ProductStart start, float* bias, bool isRectified)
        where TWidth : IWidth<TVector> where TVector : struct where TPlaces : IPlaces
    {
        if (isWide) TileOf<TWidth, TVector, Two, TPlaces>(rows, a, b, bStride, places, c, cStride, depth, start, bias, isRectified);
        else TileOf<TWidth, TVector, One, TPlaces>(rows, a, b, bStride, places, c, cStride, depth, start, bias, isRectified);
    }

    private static void TileOf<TWidth, TVector, TVectors, TPlaces>(
        int rows, Matrix a, float* b, nint bStride, Places places, float* c, nint cStride, int depth, ProductStart start, float* bias, bool isRectified)
        where TWidth : IWidth<TVector> where TVector : struct where TVectors : INumber where TPlaces : IPlaces
    {
        switch (rows)
        {
            case 1: ProductTile.Continue<TWidth, TVector, One, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            case 2: ProductTile.Continue<TWidth, TVector, Two, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            case 3: ProductTile.Continue<TWidth, TVector, Three, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            case 4: ProductTile.Continue<TWidth, TVector, Four, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            case 5: ProductTile.Continue<TWidth, TVector, Five, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            case 6: ProductTile.Continue<TWidth, TVector, Six, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            case 7: ProductTile.Continue<TWidth, TVector, Seven, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
            default: ProductTile.Continue<TWidth, TVector, Eight, TVectors, TPlaces>(a, b, bStride, places, c, cStride, depth, start, bias, isRectified); break;
        }
    }
}

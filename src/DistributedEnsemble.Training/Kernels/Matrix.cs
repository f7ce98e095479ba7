namespace DistributedEnsemble.Training.Kernels;

/// <summary>A matrix in native memory, by its strides: element [i, j] is <c>Start[i·RowStride + j·ColumnStride]</c>.</summary>
internal readonly unsafe struct Matrix(float* start, nint rowStride, nint columnStride)
{
    public readonly float* Start = start;
    public readonly nint RowStride = rowStride, ColumnStride = columnStride;

    /// <summary>Row after row.</summary>
    public static Matrix Rows(float* start, int columns) => new(start, columns, 1);

    /// <summary>The same memory with rows and columns exchanged.</summary>
    public Matrix Transposed => new(Start, ColumnStride, RowStride);

    public Matrix From(int row, int column) => new(Start + row * RowStride + column * ColumnStride, RowStride, ColumnStride);
}

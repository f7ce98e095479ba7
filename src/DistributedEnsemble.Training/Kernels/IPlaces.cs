namespace DistributedEnsemble.Training.Kernels;

/// <summary>Where the numbers of a product's matrices are.</summary>
internal unsafe interface IPlaces
{
    /// <summary>A row of a tile.</summary>
    static abstract float* RowOfA(Matrix a, Places places, nint row);

    /// <param name="i">Moves on by A's stride with k.</param>
    static abstract nint ColumnOfA(nint i, Places places, nint k);

    /// <param name="b">Moves on by B's stride with k.</param>
    static abstract float* RowOfB(float* b, Places places, nint k);
}

/// <summary>Distances from where a matrix begins: of the rows of a tile, and of what is taken with each k.</summary>
internal readonly unsafe struct Places(nint* rows, nint* steps)
{
    public readonly nint* Rows = rows, Steps = steps;
}

/// <summary>Everything at equal distances.</summary>
internal readonly unsafe struct Strided : IPlaces
{
    public static float* RowOfA(Matrix a, Places places, nint row) => a.Start + row * a.RowStride;

    public static nint ColumnOfA(nint i, Places places, nint k) => i;

    public static float* RowOfB(float* b, Places places, nint k) => b;
}

/// <summary>B's rows at places.</summary>
internal readonly unsafe struct PlacedB : IPlaces
{
    public static float* RowOfA(Matrix a, Places places, nint row) => a.Start + row * a.RowStride;

    public static nint ColumnOfA(nint i, Places places, nint k) => i;

    public static float* RowOfB(float* b, Places places, nint k) => b + places.Steps[k];
}

/// <summary>A's rows and columns at places.</summary>
internal readonly unsafe struct PlacedA : IPlaces
{
    public static float* RowOfA(Matrix a, Places places, nint row) => a.Start + places.Rows[row];

    public static nint ColumnOfA(nint i, Places places, nint k) => places.Steps[k];

    public static float* RowOfB(float* b, Places places, nint k) => b;
}

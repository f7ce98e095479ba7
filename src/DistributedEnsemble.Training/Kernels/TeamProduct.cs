namespace DistributedEnsemble.Training.Kernels;

/// <summary>A product of which each thread computes some columns, or some rows where there are few columns: the bits are those of the whole.</summary>
internal sealed unsafe class TeamProduct
{
    /// <summary>That take as long as one element of other work.</summary>
    public const int Multiplications = 8;

    /// <summary>Columns and rows of whole tiles, at any width.</summary>
    private const int Columns = Panels.Units, Rows = 24;

    private readonly Pass _pass;
    private readonly Action<int, int> _part;
    private int _rows, _columns, _depth, _stride;
    private Matrix _a, _b;
    private float* _c, _bias;
    private ProductStart _start;
    private bool _isRectified, _arePanels;

    public TeamProduct(Pass pass) => (_pass, _part) = (pass, Part);

    /// <param name="arePanels">Whether B is a layer's weights that were arranged in <see cref="Panels"/>.</param>
    /// <inheritdoc cref="MatrixProduct.Compute"/>
    public void Compute(
        int rows, int columns, int depth, Matrix a, Matrix b, float* c, int cStride, ProductStart start, float* bias, bool isRectified, bool arePanels = false)
    {
        (_rows, _columns, _depth, _a, _b, _stride, _start) = (rows, columns, depth, a, b, cStride, start);
        (_isRectified, _arePanels) = (isRectified, arePanels);
        _c = c;
        _bias = bias;
        _pass.Run((long)rows * columns * depth / Multiplications, _part);
    }

    private void Part(int part, int parts)
    {
        var (byColumns, byRows) = _columns >= 2 * parts * Columns ? (parts, 1) : (1, parts);
        var (column, columns) = Share(_columns, Columns, part, byColumns);
        var (row, rows) = Share(_rows, Rows, part, byRows);
        var bias = _start switch
        {
            ProductStart.BiasOfColumns => _bias + column,
            ProductStart.BiasOfRows => _bias + row,
            ProductStart.Zero or ProductStart.Sum => null,
        };
        var (a, b) = (_a.From(row, 0), _b.From(0, column));
        var c = _c + (nint)row * _stride + column;
        if (_arePanels) Panels.Compute(rows, columns, _depth, a, b, c, _stride, _start, bias, _isRectified, _pass.Scratch(part));
        else MatrixProduct.Compute(rows, columns, _depth, a, b, c, _stride, _start, bias, _isRectified, _pass.Scratch(part));
    }

    private static (int First, int Count) Share(int length, int unit, int part, int parts)
    {
        if (parts == 1) return (0, length);
        var first = Team.Place(length, unit, part, parts);
        return (first, Team.Place(length, unit, part + 1, parts) - first);
    }
}

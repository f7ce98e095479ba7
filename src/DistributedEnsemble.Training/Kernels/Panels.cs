namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// A dense layer's weights as predictions read them: panels of 32 units, in each of which a feature's 32 weights lie side by side, and behind
/// them the last units as they were. They take the place of the weights, number by number, so that no pass has to copy them into panels.
/// </summary>
internal static unsafe class Panels
{
    /// <summary>Units of a panel: those of the widest tile, and a multiple of any tile's.</summary>
    public const int Units = 32;

    /// <param name="weight">[units, features], overwritten.</param>
    public static void Arrange(float* weight, int units, int features)
    {
        using var panel = new NativeVector((long)Units * features);
        for (var first = 0; first <= units - Units; first += Units)
        {
            var place = weight + (nint)first * features;
            new Span<float>(place, Units * features).CopyTo(panel.Span);
            Transpose.Copy(panel.Start, features, Units, features, place, Units);
        }
    }

    /// <summary>The product with the transposed weights, with the bits that it has in <see cref="MatrixProduct"/>.</summary>
    /// <param name="columns">Units, from the first of a panel on.</param>
    /// <param name="b">The weights transposed, by the strides that they had.</param>
    /// <inheritdoc cref="MatrixProduct.Compute"/>
    public static void Compute(
        int rows, int columns, int depth, Matrix a, Matrix b, float* c, int cStride, ProductStart start, float* bias, bool isRectified, float* scratch)
    {
        for (; columns >= Units; columns -= Units, b = b.From(0, Units), c += Units, bias += start == ProductStart.BiasOfColumns ? Units : 0)
        {
            MatrixProduct.Compute(rows, Units, depth, a, Matrix.Rows(b.Start, Units), c, cStride, start, bias, isRectified, scratch);
        }

        if (columns > 0) MatrixProduct.Compute(rows, columns, depth, a, b, c, cStride, start, bias, isRectified, scratch);
    }
}

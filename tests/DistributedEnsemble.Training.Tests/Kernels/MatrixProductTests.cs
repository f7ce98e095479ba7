using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tests.Kernels;

public sealed unsafe class MatrixProductTests
{
    private const int Guard = 16;

    private delegate void Product(
        int rows, int columns, int depth, Matrix a, Matrix b, float* c, int cStride, ProductStart start, float* bias, bool isRectified, float* scratch);

    private static readonly Product[] s_widths =
    [
        MatrixProduct.Compute,
        MatrixProduct.Blocks<Width32, float, Six>,
        MatrixProduct.Blocks<Width128, Vector128<float>, Six>,
        MatrixProduct.Blocks<Width256, Vector256<float>, Six>,
        MatrixProduct.Blocks<Width512, Vector512<float>, Eight>,
    ];

    [Fact]
    public void Every_width_gives_one_chain_of_fused_multiply_adds_in_the_order_of_k_for_each_element() => CheckAny(new Random(1), 400);

    [Fact]
    public void So_does_a_product_of_one_row()
    {
        var random = new Random(2);
        for (var i = 0; i < 400; i++) Check(random, 1, random.Next(1, 71), random.Next(0, 71), random.Next(4) == 0);
    }

    [Theory]
    [InlineData(1, 256, 784)]
    [InlineData(128, 256, 784)]
    [InlineData(256, 784, 128)]
    [InlineData(10, 256, 513)]
    [InlineData(300, 40, 257)]
    [InlineData(6, 784, 25)]
    [InlineData(25, 784, 6)]
    [InlineData(6, 25, 784)]
    public void So_it_is_for_shapes_of_real_networks(int rows, int columns, int depth)
    {
        foreach (var start in Enum.GetValues<ProductStart>()) Check(new Random(rows), rows, columns, depth, false, start);
    }

    [Theory]
    [InlineData(1, 256, 784)]
    [InlineData(20, 256, 784)]
    [InlineData(7, 74, 300)]
    [InlineData(1, 33, 5)]
    [InlineData(3, 31, 9)]
    public void So_does_a_product_with_weights_in_panels(int rows, int columns, int depth)
    {
        var random = new Random(rows);
        using Floats a = new(random, rows * depth, false), b = new(random, depth * columns, false), bias = new(random, rows + columns, false);
        using Floats before = new(random, rows * columns, false), scratch = new(random, MatrixProduct.Scratch, true), c = new(random, rows * columns, false);
        var (left, right) = (Matrix.Rows(a.Start, depth), Matrix.Rows(b.Start, depth).Transposed);
        foreach (var start in Enum.GetValues<ProductStart>())
        {
            var expected = Chains(rows, columns, depth, left, right, before.Start, start, bias.Start, isRectified: true);
            using Floats panels = new(random, depth * columns, false);
            new Span<float>(b.Start, depth * columns).CopyTo(new Span<float>(panels.Start, depth * columns));
            Panels.Arrange(panels.Start, columns, depth);
            new Span<float>(before.Start, rows * columns).CopyTo(new Span<float>(c.Start, rows * columns));
            Panels.Compute(rows, columns, depth, left, Matrix.Rows(panels.Start, depth).Transposed, c.Start, columns, start, bias.Start, isRectified: true, scratch.Start);
            Assert.Equal(Bits(expected), Bits(new Span<float>(c.Start, rows * columns)));
        }
    }

    internal static void CheckAny(Random random, int count)
    {
        for (var i = 0; i < count; i++) Check(random, random.Next(1, 71), random.Next(1, 71), random.Next(0, 71), random.Next(4) == 0);
    }

    private static void Check(Random random, int rows, int columns, int depth, bool areSpecial, ProductStart? from = null)
    {
        using Floats a = new(random, Room(rows, depth), areSpecial), b = new(random, Room(depth, columns), areSpecial), bias = new(random, rows + columns, areSpecial);
        using Floats before = new(random, rows * (columns + 2) + Guard, areSpecial), scratch = new(random, MatrixProduct.Scratch, true), c = new(random, rows * (columns + 2) + Guard, false);
        var (start, isRectified) = (from ?? (ProductStart)random.Next(4), random.Next(2) == 0);
        var (left, right) = (AnyMatrix(random, a.Start, rows, depth), AnyMatrix(random, b.Start, depth, columns));
        var cStride = columns + random.Next(3);
        var length = rows * cStride + Guard;
        var expected = Chains(rows, columns, depth, left, right, before.Start, start, bias.Start, isRectified, cStride);
        foreach (var product in s_widths)
        {
            new Span<float>(before.Start, length).CopyTo(new Span<float>(c.Start, length));
            product(rows, columns, depth, left, right, c.Start, cStride, start, bias.Start, isRectified, scratch.Start);
            for (var row = 0; row < rows; row++) Assert.Equal(Bits(expected.AsSpan(row * columns, columns)), Bits(new Span<float>(c.Start + row * cStride, columns)));
            for (var row = 0; row < rows; row++) new Span<float>(before.Start + row * cStride, columns).CopyTo(new Span<float>(c.Start + row * cStride, columns));
            Assert.Equal(Bits(new Span<float>(before.Start, length)), Bits(new Span<float>(c.Start, length)));
        }
    }

    /// <summary>Row after row or column after column, without gaps or with some.</summary>
    private static Matrix AnyMatrix(Random random, float* start, int rows, int columns)
    {
        var (isTransposed, step, gap) = (random.Next(2) == 0, random.Next(4) == 0 ? 2 : 1, random.Next(3));
        return isTransposed ? new Matrix(start, step, rows * step + gap) : new Matrix(start, columns * step + gap, step);
    }

    /// <summary>Numbers that a matrix with gaps lies in.</summary>
    private static int Room(int rows, int columns) => (rows + 1) * (columns + 1) * 2 + 3 * (rows + columns);

    private static float[] Chains(
        int rows, int columns, int depth, Matrix a, Matrix b, float* before, ProductStart start, float* bias, bool isRectified, int? beforeStride = null)
    {
        var c = new float[rows * columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                var sum = start switch
                {
                    ProductStart.Zero => 0,
                    ProductStart.Sum => before[i * (beforeStride ?? columns) + j],
                    ProductStart.BiasOfRows => bias[i],
                    _ => bias[j],
                };
                for (var k = 0; k < depth; k++) sum = MathF.FusedMultiplyAdd(a.From(i, k).Start[0], b.From(k, j).Start[0], sum);
                c[i * columns + j] = isRectified && sum < 0 ? 0 : sum;
            }
        }

        return c;
    }

    /// <summary>IEEE 754 leaves open which bits a result has that is not a number.</summary>
    private static int[] Bits(Span<float> values)
    {
        var bits = new int[values.Length];
        for (var i = 0; i < bits.Length; i++) bits[i] = float.IsNaN(values[i]) ? -1 : BitConverter.SingleToInt32Bits(values[i]);
        return bits;
    }

    private sealed class Floats : IDisposable
    {
        private static readonly float[] s_special =
        [
            0, -0f, float.Epsilon, -float.Epsilon, 1e-40f, -1e-39f, 1e-30f, 1, -1, 3e38f, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
        ];

        public Floats(Random random, int length, bool areSpecial)
        {
            Start = (float*)NativeMemory.AlignedAlloc((nuint)(length + 1) * sizeof(float), 64);
            for (var i = 0; i < length; i++) Start[i] = areSpecial ? s_special[random.Next(s_special.Length)] : random.NextSingle() - 0.5f;
        }

        public float* Start { get; }

        public void Dispose() => NativeMemory.AlignedFree(Start);
    }
}

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
    public void Every_width_gives_one_chain_of_fused_multiply_adds_in_the_order_of_k_for_each_element()
    {
        var random = new Random(1);
        for (var i = 0; i < 400; i++)
        {
            Check(random, random.Next(1, 71), random.Next(1, 71), random.Next(0, 71), random.Next(4) == 0);
        }
    }

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
    public void So_it_is_for_shapes_of_real_networks(int rows, int columns, int depth) => Check(new Random(rows), rows, columns, depth, false);

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

    private static void Check(Random random, int rows, int columns, int depth, bool areSpecial)
    {
        using Floats a = new(random, rows * depth, areSpecial), b = new(random, depth * columns, areSpecial), bias = new(random, rows + columns, areSpecial);
        using Floats before = new(random, rows * columns, areSpecial), scratch = new(random, MatrixProduct.Scratch, true), c = new(random, rows * columns + Guard, false);
        var (start, isRectified) = ((ProductStart)random.Next(4), random.Next(2) == 0);
        var left = random.Next(2) == 0 ? Matrix.Rows(a.Start, depth) : Matrix.Rows(a.Start, rows).Transposed;
        var right = random.Next(2) == 0 ? Matrix.Rows(b.Start, columns) : Matrix.Rows(b.Start, depth).Transposed;
        var expected = Chains(rows, columns, depth, left, right, before.Start, start, bias.Start, isRectified);
        var guard = Bits(new Span<float>(c.Start + rows * columns, Guard));
        foreach (var product in s_widths)
        {
            new Span<float>(before.Start, rows * columns).CopyTo(new Span<float>(c.Start, rows * columns));
            product(rows, columns, depth, left, right, c.Start, columns, start, bias.Start, isRectified, scratch.Start);
            Assert.Equal(Bits(expected), Bits(new Span<float>(c.Start, rows * columns)));
            Assert.Equal(guard, Bits(new Span<float>(c.Start + rows * columns, Guard)));
        }
    }

    private static float[] Chains(
        int rows, int columns, int depth, Matrix a, Matrix b, float* before, ProductStart start, float* bias, bool isRectified)
    {
        var c = new float[rows * columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                var sum = start switch
                {
                    ProductStart.Zero => 0,
                    ProductStart.Sum => before[i * columns + j],
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

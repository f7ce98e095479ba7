using System.Runtime.InteropServices;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tests.Kernels;

/// <summary>What each simple kernel computes, one number after another: the bits that it must have at every width of a machine's vectors.</summary>
internal static unsafe class SimpleKernels
{
    /// <summary>By the kernel's name: compares one call with its reference.</summary>
    public static readonly IReadOnlyDictionary<string, Action<Random>> Laws = new Dictionary<string, Action<Random>>
    {
        [nameof(Elementwise.Rectify)] = random => EachOf(random, (x, _, _, _, _, n) => Elementwise.Rectify(x, n), (x, _, _, _, _) => x < 0 ? 0 : x),
        [nameof(Elementwise.MaskByPositive)] = random => EachOf(random, (x, y, _, _, _, n) => Elementwise.MaskByPositive(x, y, n), (x, y, _, _, _) => y > 0 ? x : 0),
        [nameof(Elementwise.Multiply)] = random => EachOf(random, (x, y, _, _, _, n) => Elementwise.Multiply(x, y, n), (x, y, _, _, _) => x * y),
        [nameof(Elementwise.Scale)] = random => EachOf(random, (x, _, _, _, factor, n) => Elementwise.Scale(x, factor, n), (x, _, _, _, factor) => x * factor),
        [nameof(Elementwise.Add)] = random => EachOf(random, (x, y, _, _, _, n) => Elementwise.Add(x, y, n), (x, y, _, _, _) => x + y),
        [nameof(Elementwise.Product)] = random => EachOf(random, (x, y, z, _, _, n) => Elementwise.Product(y, z, x, n), (_, y, z, _, _) => y * z),
        [nameof(Elementwise.AddProduct)] = random => EachOf(random, (x, y, z, _, _, n) => Elementwise.AddProduct(x, y, z, n), (x, y, z, _, _) => x + Rounded(y * z)),
        [nameof(Elementwise.AddScaled)] = random => EachOf(random, (x, y, _, _, factor, n) => Elementwise.AddScaled(x, y, factor, n), (x, y, _, _, factor) => x + Rounded(y * factor)),
        [nameof(Elementwise.Adapt)] = random =>
        {
            EachOf(random, (x, y, z, u, _, n) => Elementwise.Adapt(y, z, u, x, n, isRectified: false), (_, y, z, u, _) => Rounded(y * z) + u);
            EachOf(random, (x, y, z, u, _, n) => Elementwise.Adapt(y, z, u, x, n, isRectified: true), (_, y, z, u, _) => Rounded(y * z) + u is var sum && sum < 0 ? 0 : sum);
        },
        [nameof(Elementwise.SumRows)] = random =>
        {
            var (rows, columns) = (random.Next(0, 71), random.Next(1, 71));
            using Floats matrix = new(random, rows * columns), sums = new(random, columns);
            var expected = new float[columns];
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++) expected[column] += matrix.Start[row * columns + column];
            }

            Elementwise.SumRows(matrix.Start, rows, columns, sums.Start);
            sums.AssertEqual(expected);
        },
        [nameof(Sums.Of)] = random => OneOf(random, (x, _, _, n) => Sums.Of(x, n), (x, _, _, sum) => sum + x),
        [nameof(Sums.OfSquares)] = random => OneOf(random, (x, _, mean, n) => Sums.OfSquares(x, mean, n), (x, _, mean, sum) => MathF.FusedMultiplyAdd(x - mean, x - mean, sum)),
        [nameof(Sums.OfProducts)] = random => OneOf(random, (x, y, mean, n) => Sums.OfProducts(x, mean, y, n), (x, y, mean, sum) => MathF.FusedMultiplyAdd(x - mean, y, sum)),
        [nameof(Transpose.Copy)] = random =>
        {
            var (columns, length) = (random.Next(1, 71), random.Next(0, 71));
            var (sourceStride, targetStride) = (length + random.Next(3), columns + random.Next(3));
            using Floats source = new(random, columns * sourceStride), target = new(random, length * targetStride);
            var expected = target.ToArray();
            for (var i = 0; i < columns * length; i++) expected[i % length * targetStride + i / length] = source.Start[i / length * sourceStride + i % length];
            Transpose.Copy(source.Start, sourceStride, columns, length, target.Start, targetStride);
            target.AssertEqual(expected);
        },
    };

    private delegate void Kernel(float* x, float* y, float* z, float* u, float factor, int length);

    private delegate float Number(float x, float y, float z, float u, float factor);

    private delegate float Sum(float* x, float* y, float mean, int length);

    /// <summary>A product that nothing is fused with.</summary>
    private static float Rounded(float product) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(product));

    /// <summary>x is what the kernel sets.</summary>
    private static void EachOf(Random random, Kernel kernel, Number reference)
    {
        var (length, factor) = (random.Next(0, 71), Floats.Any(random));
        using Floats x = new(random, length), y = new(random, length), z = new(random, length), u = new(random, length);
        float[] expected = [.. Enumerable.Range(0, length).Select(i => reference(x.Start[i], y.Start[i], z.Start[i], u.Start[i], factor))];
        kernel(x.Start, y.Start, z.Start, u.Start, factor, length);
        x.AssertEqual(expected);
    }

    /// <summary>Sixteen sums, added up in halves, and what is left over one by one.</summary>
    private static void OneOf(Random random, Sum kernel, Func<float, float, float, float, float> reference)
    {
        var (length, mean) = (random.Next(0, 150), Floats.Any(random));
        using Floats x = new(random, length), y = new(random, length);
        var sums = new float[16];
        var whole = length / 16 * 16;
        for (var i = 0; i < whole; i++) sums[i % 16] = reference(x.Start[i], y.Start[i], mean, sums[i % 16]);
        for (var half = 8; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++) sums[i] += sums[i + half];
        }

        for (var i = whole; i < length; i++) sums[0] = reference(x.Start[i], y.Start[i], mean, sums[0]);
        Assert.Equal(Floats.Bits([sums[0]]), Floats.Bits([kernel(x.Start, y.Start, mean, length)]));
    }
}

/// <summary>Numbers in native memory, from any place of a vector on, in a third of the cases with those that arithmetic treats apart, and before and behind them some that nobody may change.</summary>
internal sealed unsafe class Floats : IDisposable
{
    private const int Guard = 16;

    private static readonly float[] s_special =
    [
        0, -0f, float.Epsilon, -float.Epsilon, 1e-40f, -1e-39f, 1e-30f, 1, -1, 3e38f, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private readonly float* _memory;
    private readonly int _length;
    private readonly int[] _guards;

    public Floats(Random random, int length)
    {
        _length = length;
        var before = Guard + random.Next(16);
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)(before + length + Guard) * sizeof(float), 64);
        Start = _memory + before;
        var areSpecial = random.Next(3) == 0;
        for (var i = -Guard; i < length + Guard; i++) Start[i] = areSpecial ? s_special[random.Next(s_special.Length)] : random.NextSingle() - 0.5f;
        _guards = Guards();
    }

    public float* Start { get; }

    public static float Any(Random random) => random.Next(3) == 0 ? s_special[random.Next(s_special.Length)] : random.NextSingle() - 0.5f;

    public float[] ToArray() => new Span<float>(Start, _length).ToArray();

    public void AssertEqual(float[] expected)
    {
        Assert.Equal(Bits(expected), Bits(new Span<float>(Start, _length)));
        Assert.Equal(_guards, Guards());
    }

    /// <summary>IEEE 754 leaves open which bits a result has that is not a number.</summary>
    public static int[] Bits(ReadOnlySpan<float> values)
    {
        var bits = new int[values.Length];
        for (var i = 0; i < bits.Length; i++) bits[i] = float.IsNaN(values[i]) ? -1 : BitConverter.SingleToInt32Bits(values[i]);
        return bits;
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private int[] Guards() => [.. Bits(new Span<float>(Start - Guard, Guard)), .. Bits(new Span<float>(Start + _length, Guard))];
}

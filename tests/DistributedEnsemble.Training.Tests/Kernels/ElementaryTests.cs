using System.Runtime.Intrinsics;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tests.Kernels;

public sealed class ElementaryTests
{
    /// <summary>Every float32 whose bits are a multiple of a prime: 4 million, of both signs and all exponents.</summary>
    private static IEnumerable<float> Floats()
    {
        for (var bits = 0L; bits <= uint.MaxValue; bits += 1021) yield return BitConverter.UInt32BitsToSingle((uint)bits);
    }

    [Fact]
    public void Exp_is_within_1_05_units_in_the_last_place() => Assert.InRange(MostUnits(Elementary.Exp, Math.Exp), 0, 1.05);

    [Fact]
    public void Log_is_within_one_unit_in_the_last_place() => Assert.InRange(MostUnits(Elementary.Log, Math.Log), 0, 1);

    [Fact]
    public void Softplus_is_within_two_units_in_the_last_place() =>
        Assert.InRange(MostUnits(Elementary.Softplus, x => Math.Max(x, 0) + LogOfOneAnd(Math.Exp(-Math.Abs(x)))), 0, 2);

    [Fact]
    public void Special_values_give_what_mathematics_says()
    {
        Assert.Equal([0, 1, 1, float.PositiveInfinity, float.NaN], Map(Elementary.Exp, float.NegativeInfinity, -0f, 0, float.PositiveInfinity, float.NaN));
        Assert.Equal(
            [float.NaN, float.NaN, float.NegativeInfinity, float.NegativeInfinity, 0, float.PositiveInfinity, float.NaN],
            Map(Elementary.Log, float.NegativeInfinity, -1e-45f, -0f, 0, 1, float.PositiveInfinity, float.NaN));
        Assert.Equal(
            [0, MathF.Log(2), float.PositiveInfinity, float.NaN],
            Map(Elementary.Softplus, float.NegativeInfinity, 0, float.PositiveInfinity, float.NaN));
    }

    [Fact]
    public void Every_width_gives_the_bits_of_one_number_alone()
    {
        foreach (var part in Floats().Where((_, i) => i % 7 == 0).Chunk(4099))
        {
            Same<Exponential>(part, Elementary.Exp, Elementary.Exp);
            Same<Logarithm>(part, Elementary.Log, Elementary.Log);
            Same<SoftplusOf>(part, Elementary.Softplus, Elementary.Softplus);
        }
    }

    private delegate void OfSpan(ReadOnlySpan<float> x, Span<float> y);

    private static void Same<TFunction>(float[] x, Func<float, float> one, OfSpan all) where TFunction : IFunction
    {
        var expected = Array.ConvertAll(x, value => one(value));
        var y = new float[x.Length];
        all(x, y);
        Assert.Equal(Bits(expected), Bits(y));
        Compare(Elementary.Apply<TFunction, Width128, Vector128<float>>(x, y, 0));
        Compare(Elementary.Apply<TFunction, Width256, Vector256<float>>(x, y, 0));
        Compare(Elementary.Apply<TFunction, Width512, Vector512<float>>(x, y, 0));

        void Compare(int count) => Assert.Equal(Bits(expected[..count]), Bits(y[..count]));
    }

    private static int[] Bits(float[] values) => Array.ConvertAll(values, value => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value));

    private static float[] Map(Func<float, float> function, params float[] x) => Array.ConvertAll(x, value => function(value));

    private static double LogOfOneAnd(double t) => t > 1e-5 ? Math.Log(1 + t) : t * (1 - t / 2 * (1 - t * 2 / 3));

    /// <summary>The largest error, in units in the last place of the result; below the normal numbers in their smallest unit.</summary>
    private static double MostUnits(Func<float, float> ours, Func<double, double> exact)
    {
        var most = 0.0;
        foreach (var x in Floats())
        {
            var (found, right) = (ours(x), exact(x));
            if (!float.IsFinite((float)right))
            {
                Assert.Equal((float)right, found);
                continue;
            }

            var unit = Math.Max(Math.ScaleB(1, Math.ILogB(right) - 23), float.Epsilon);
            most = Math.Max(most, Math.Abs(found - right) / unit);
        }

        return most;
    }
}

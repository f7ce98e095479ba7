using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>The product kernel in its three roles, beside what a core can do at most: fused multiply-adds on registers alone.</summary>
internal sealed unsafe class ProductSpeed : IDisposable
{
    private const double Seconds = 0.1;

    private readonly NativeVector _a, _b, _c, _scratch = new(MatrixProduct.Scratch);
    private readonly int _batch, _outputs, _inputs;
    private float _sink;

    public ProductSpeed(int batch, int outputs, int inputs)
    {
        (_batch, _outputs, _inputs) = (batch, outputs, inputs);
        (_a, _b, _c) = (new((long)batch * inputs), new((long)outputs * inputs), new((long)batch * outputs));
    }

    /// <summary>Floating-point operations a second of C = X·Wᵀ.</summary>
    public double Forward() => Rate(() => MatrixProduct.Compute(
        _batch, _outputs, _inputs, Matrix.Rows(_a.Start, _inputs), Matrix.Rows(_b.Start, _inputs).Transposed, _c.Start, _outputs, ProductStart.Zero, null, false, _scratch.Start));

    /// <summary>Of the gradient of X, C·W.</summary>
    public double InputGradient() => Rate(() => MatrixProduct.Compute(
        _batch, _inputs, _outputs, Matrix.Rows(_c.Start, _outputs), Matrix.Rows(_b.Start, _inputs), _a.Start, _inputs, ProductStart.Zero, null, false, _scratch.Start));

    /// <summary>Of the gradient of W, Cᵀ·X.</summary>
    public double WeightGradient() => Rate(() => MatrixProduct.Compute(
        _outputs, _inputs, _batch, Matrix.Rows(_c.Start, _outputs).Transposed, Matrix.Rows(_a.Start, _inputs), _b.Start, _inputs, ProductStart.Zero, null, false, _scratch.Start));

    public double Peak()
    {
        // Enough to hide the latency of two units, and few enough for the sixteen registers of AVX2.
        const int Chains = 12, Loops = 1 << 20;
        var clock = Stopwatch.StartNew();
        _sink += Vector512.IsHardwareAccelerated ? Loop<Width512, Vector512<float>>(Loops) : Loop<Width256, Vector256<float>>(Loops);
        return 2.0 * Chains * (Vector512.IsHardwareAccelerated ? 16 : 8) * Loops / clock.Elapsed.TotalSeconds;
    }

    public void Dispose()
    {
        foreach (var vector in new[] { _a, _b, _c, _scratch }) vector.Dispose();
    }

    private double Rate(Action product)
    {
        // Products of these magnitudes grow: numbers beyond float32 would be slower on some machines.
        foreach (var vector in new[] { _a, _b, _c }) Fill(vector);
        product();
        var (count, clock) = (0, Stopwatch.StartNew());
        for (; clock.Elapsed.TotalSeconds < Seconds; count++) product();
        return 2.0 * _batch * _outputs * _inputs * count / clock.Elapsed.TotalSeconds;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Loop<TWidth, TVector>(int loops) where TWidth : IWidth<TVector> where TVector : struct
    {
        var (f, g) = (TWidth.Of(0.999f), TWidth.Of(0.001f));
        TVector a0 = f, a1 = f, a2 = f, a3 = f, a4 = f, a5 = f, a6 = f, a7 = f, b0 = f, b1 = f, b2 = f, b3 = f;
        for (var i = 0; i < loops; i++)
        {
            a0 = TWidth.MultiplyAdd(a0, f, g);
            a1 = TWidth.MultiplyAdd(a1, f, g);
            a2 = TWidth.MultiplyAdd(a2, f, g);
            a3 = TWidth.MultiplyAdd(a3, f, g);
            a4 = TWidth.MultiplyAdd(a4, f, g);
            a5 = TWidth.MultiplyAdd(a5, f, g);
            a6 = TWidth.MultiplyAdd(a6, f, g);
            a7 = TWidth.MultiplyAdd(a7, f, g);
            b0 = TWidth.MultiplyAdd(b0, f, g);
            b1 = TWidth.MultiplyAdd(b1, f, g);
            b2 = TWidth.MultiplyAdd(b2, f, g);
            b3 = TWidth.MultiplyAdd(b3, f, g);
        }

        a0 = TWidth.Add(TWidth.Add(TWidth.Add(a0, a1), TWidth.Add(a2, a3)), TWidth.Add(TWidth.Add(a4, a5), TWidth.Add(a6, a7)));
        b0 = TWidth.Add(TWidth.Add(b0, b1), TWidth.Add(b2, b3));
        Span<float> numbers = stackalloc float[TWidth.Count];
        TWidth.Store(TWidth.Add(a0, b0), ref numbers[0]);
        return numbers[0];
    }

    private static void Fill(NativeVector vector) => new RandomSource(1).Uniform(new Draw(Purpose.Initialization, 0, 0, 0), vector.Span);
}

using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>8 numbers at a time.</summary>
internal readonly struct Width256 : IWidth<Vector256<float>>
{
    public static int Count => Vector256<float>.Count;

    public static Vector256<float> Load(ref readonly float source) => Vector256.LoadUnsafe(in source);

    public static void Store(Vector256<float> vector, ref float target) => vector.StoreUnsafe(ref target);

    public static Vector256<float> Of(float value) => Vector256.Create(value);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> SquareRoot(Vector256<float> a) => Vector256.Sqrt(a);

    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.FusedMultiplyAdd(a, b, c);

    public static Vector256<float> Less(Vector256<float> a, Vector256<float> b) => Vector256.LessThan(a, b);

    public static Vector256<float> Select(Vector256<float> condition, Vector256<float> yes, Vector256<float> no) =>
        Vector256.ConditionalSelect(condition, yes, no);

    public static Vector256<float> And(Vector256<float> a, Vector256<float> b) => a & b;

    public static Vector256<float> AddBits(Vector256<float> a, Vector256<float> b) => (a.AsInt32() + b.AsInt32()).AsSingle();

    public static Vector256<float> ShiftLeft(Vector256<float> a, int count) => (a.AsInt32() << count).AsSingle();

    public static Vector256<float> ShiftRight(Vector256<float> a, int count) => (a.AsInt32() >> count).AsSingle();
}

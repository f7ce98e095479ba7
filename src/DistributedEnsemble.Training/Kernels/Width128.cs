using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>4 numbers at a time.</summary>
internal readonly struct Width128 : IWidth<Vector128<float>>
{
    public static int Count => Vector128<float>.Count;

    public static Vector128<float> Load(ref readonly float source) => Vector128.LoadUnsafe(in source);

    public static void Store(Vector128<float> vector, ref float target) => vector.StoreUnsafe(ref target);

    public static Vector128<float> Of(float value) => Vector128.Create(value);

    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;

    public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;

    public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;

    public static Vector128<float> SquareRoot(Vector128<float> a) => Vector128.Sqrt(a);

    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    public static Vector128<float> Less(Vector128<float> a, Vector128<float> b) => Vector128.LessThan(a, b);

    public static Vector128<float> Select(Vector128<float> condition, Vector128<float> yes, Vector128<float> no) =>
        Vector128.ConditionalSelect(condition, yes, no);

    public static Vector128<float> And(Vector128<float> a, Vector128<float> b) => a & b;

    public static Vector128<float> AddBits(Vector128<float> a, Vector128<float> b) => (a.AsInt32() + b.AsInt32()).AsSingle();

    public static Vector128<float> ShiftLeft(Vector128<float> a, int count) => (a.AsInt32() << count).AsSingle();

    public static Vector128<float> ShiftRight(Vector128<float> a, int count) => (a.AsInt32() >> count).AsSingle();
}

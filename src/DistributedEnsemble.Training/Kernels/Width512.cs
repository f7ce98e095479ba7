using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>16 numbers at a time.</summary>
internal readonly struct Width512 : IWidth<Vector512<float>>
{
    public static int Count => Vector512<float>.Count;

    public static Vector512<float> Load(ref readonly float source) => Vector512.LoadUnsafe(in source);

    public static void Store(Vector512<float> vector, ref float target) => vector.StoreUnsafe(ref target);

    public static Vector512<float> Of(float value) => Vector512.Create(value);

    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    public static Vector512<float> SquareRoot(Vector512<float> a) => Vector512.Sqrt(a);

    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    public static Vector512<float> Less(Vector512<float> a, Vector512<float> b) => Vector512.LessThan(a, b);

    public static Vector512<float> Select(Vector512<float> condition, Vector512<float> yes, Vector512<float> no) =>
        Vector512.ConditionalSelect(condition, yes, no);

    public static Vector512<float> And(Vector512<float> a, Vector512<float> b) => a & b;

    public static Vector512<float> AddBits(Vector512<float> a, Vector512<float> b) => (a.AsInt32() + b.AsInt32()).AsSingle();

    public static Vector512<float> ShiftLeft(Vector512<float> a, int count) => (a.AsInt32() << count).AsSingle();

    public static Vector512<float> ShiftRight(Vector512<float> a, int count) => (a.AsInt32() >> count).AsSingle();
}

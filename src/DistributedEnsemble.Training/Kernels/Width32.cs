namespace DistributedEnsemble.Training.Kernels;

/// <summary>One number at a time: what is left over where vectors end, and every machine's reference.</summary>
internal readonly struct Width32 : IWidth<float>
{
    public static int Count => 1;

    public static float Load(ref readonly float source) => source;

    public static void Store(float vector, ref float target) => target = vector;

    public static float Of(float value) => value;

    public static float Add(float a, float b) => a + b;

    public static float Subtract(float a, float b) => a - b;

    public static float Multiply(float a, float b) => a * b;

    public static float Divide(float a, float b) => a / b;

    public static float SquareRoot(float a) => MathF.Sqrt(a);

    public static float MultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static float Less(float a, float b) => Float(a < b ? -1 : 0);

    public static float Select(float condition, float yes, float no) =>
        Float((Bits(yes) & Bits(condition)) | (Bits(no) & ~Bits(condition)));

    public static float And(float a, float b) => Float(Bits(a) & Bits(b));

    public static float AddBits(float a, float b) => Float(Bits(a) + Bits(b));

    public static float ShiftLeft(float a, int count) => Float(Bits(a) << count);

    public static float ShiftRight(float a, int count) => Float(Bits(a) >> count);

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    private static float Float(int bits) => BitConverter.Int32BitsToSingle(bits);
}

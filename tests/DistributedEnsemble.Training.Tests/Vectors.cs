using System.Runtime.InteropServices;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Predictions;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests;

/// <summary>Vectors beside tensors.</summary>
internal static class Vectors
{
    public static float[] ToArray(this NativeVector vector) => vector.Span.ToArray();

    /// <summary>Of all rows.</summary>
    public static float[] Inputs(this Samples samples) => samples.InputsOf(0, (int)samples.Count).ToArray();

    /// <summary>A vector with the numbers of a tensor.</summary>
    public static NativeVector ToVector(this Tensor tensor)
    {
        var vector = new NativeVector(tensor.numel());
        MemoryMarshal.Cast<byte, float>(tensor.bytes).CopyTo(vector.Span);
        return vector;
    }

    public static void Scale(this NativeVector vector, float factor)
    {
        foreach (ref var value in vector.Span) value *= factor;
    }

    /// <summary>Answers to the rows of a tensor.</summary>
    public static void Answer(this IPredictor predictor, Tensor inputs, Span<double> answers) =>
        predictor.Answer(MemoryMarshal.Cast<byte, float>(inputs.contiguous().bytes), answers);
}

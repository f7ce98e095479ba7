using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>The native memory of float32 tensors, without copies.</summary>
internal static unsafe class TensorFloats
{
    /// <summary>Where the elements of a contiguous float32 tensor begin; null if it has none.</summary>
    public static float* Start(this Tensor tensor) =>
        tensor.numel() == 0 ? null : (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    /// <summary>The elements of a contiguous float32 tensor.</summary>
    public static Span<float> Floats(this Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}

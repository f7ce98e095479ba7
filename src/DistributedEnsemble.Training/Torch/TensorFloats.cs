using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Torch;

/// <summary>The native memory of float32 tensors, without copies.</summary>
internal static class TensorFloats
{
    /// <summary>The elements of a contiguous float32 tensor.</summary>
    public static Span<float> Floats(this Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}

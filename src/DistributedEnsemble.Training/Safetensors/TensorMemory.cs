using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>A tensor's native bytes, part by part: one span cannot be longer than 2 GiB.</summary>
internal static class TensorMemory
{
    public delegate void Part(Span<byte> bytes);

    private const long PartBytes = 1 << 28;

    /// <summary>Visits the memory of a contiguous CPU tensor from its first to its last byte.</summary>
    public static void Visit(Tensor tensor, Part visit)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException("The tensor must be contiguous and on the CPU.", nameof(tensor));
        if (tensor.numel() == 0) return;

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var flat = tensor.detach().view(-1);
        var perPart = PartBytes / tensor.ElementSize;
        for (long start = 0; start < flat.shape[0]; start += perPart)
            visit(flat.narrow(0, start, Math.Min(perPart, flat.shape[0] - start)).bytes);
    }
}

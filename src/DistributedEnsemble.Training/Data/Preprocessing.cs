using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// What turns raw numbers into inputs: (raw / scale − mean) / deviation, in float32 and in this order. Each number's result
/// depends on itself alone, so training rows and a client's rows get the same bits.
/// </summary>
/// <param name="Mean">Of each feature; null together with <paramref name="Deviation"/> if rows are not standardised.</param>
/// <param name="Deviation">Of each feature; above 0.</param>
/// <param name="Scale">What raw numbers are divided by: 255 for bytes, 1 for nothing.</param>
public sealed record Preprocessing(float[]? Mean, float[]? Deviation, float Scale)
{
    private const long PartNumbers = 1 << 20;

    public static Preprocessing None { get; } = new(null, null, 1);

    public static Preprocessing ScaledBy(float scale) => new(null, null, scale);

    public static Preprocessing Standardised(float[] mean, float[] deviation) => new(mean, deviation, 1);

    /// <summary>Inputs of raw rows, in new memory.</summary>
    /// <param name="raw">float32, [n, …] of the input's shape, contiguous, on the CPU.</param>
    public torch.Tensor Apply(torch.Tensor raw)
    {
        if (raw.dtype != ScalarType.Float32) throw new ArgumentException($"Raw rows are float32, not {raw.dtype}.", nameof(raw));
        var inputs = raw.detach().clone();
        if (inputs.numel() == 0) return inputs;

        using var scope = NewDisposeScope();
        var rows = inputs.shape[0];
        var flat = inputs.view(rows, -1);
        // Parts of whole rows, because one span cannot be longer than 2 GiB.
        var perPart = Math.Max(1, PartNumbers / flat.shape[1]);
        for (long start = 0; start < rows; start += perPart)
            Apply(MemoryMarshal.Cast<byte, float>(flat.narrow(0, start, Math.Min(perPart, rows - start)).bytes));
        return inputs;
    }

    /// <summary>The same, in place, over whole rows.</summary>
    public void Apply(Span<float> rows)
    {
        if (Scale != 1) TensorPrimitives.Divide(rows, Scale, rows);
        if (Mean is null || Deviation is null) return;
        for (; !rows.IsEmpty; rows = rows[Mean.Length..])
        {
            var row = rows[..Mean.Length];
            TensorPrimitives.Subtract(row, Mean, row);
            TensorPrimitives.Divide(row, Deviation, row);
        }
    }
}

using System.Numerics.Tensors;

namespace DistributedEnsemble.Training.Data;

/// <summary>
/// What turns raw numbers into inputs: (raw / scale − mean) / deviation, in float32 and in this order. Each number's result
/// depends on itself alone, so training rows and a client's rows get the same bits.
/// </summary>
/// <param name="Mean">Of each feature; null together with <paramref name="Deviation"/> if rows are not standardised.</param>
/// <param name="Deviation">Of each feature; above 0.</param>
/// <param name="Scale">What raw numbers are divided by: 255 for bytes, 1 for nothing.</param>
public sealed record Preprocessing(float[]? Mean, float[]? Deviation, float Scale)
{
    public static Preprocessing None { get; } = new(null, null, 1);

    public static Preprocessing ScaledBy(float scale) => new(null, null, scale);

    public static Preprocessing Standardised(float[] mean, float[] deviation) => new(mean, deviation, 1);

    /// <summary>Makes inputs of raw rows, in place.</summary>
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

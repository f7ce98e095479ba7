using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>Element types of safetensors, by the format's own names.</summary>
public enum ElementType { Bool, U8, I8, I16, I32, I64, F16, BF16, F32, F64 }

internal static class ElementTypes
{
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Bool or ElementType.U8 or ElementType.I8 => 1,
        ElementType.I16 or ElementType.F16 or ElementType.BF16 => 2,
        ElementType.I32 or ElementType.F32 => 4,
        ElementType.I64 or ElementType.F64 => 8,
    };

    public static string Format(this ElementType type) => type.ToString().ToUpperInvariant();

    public static ElementType? Parse(string? name) =>
        Enum.GetValues<ElementType>().Cast<ElementType?>().FirstOrDefault(type => type!.Value.Format() == name);

    public static ElementType Of(ScalarType type) => type switch
    {
        ScalarType.Bool => ElementType.Bool,
        ScalarType.Byte => ElementType.U8,
        ScalarType.Int8 => ElementType.I8,
        ScalarType.Int16 => ElementType.I16,
        ScalarType.Int32 => ElementType.I32,
        ScalarType.Int64 => ElementType.I64,
        ScalarType.Float16 => ElementType.F16,
        ScalarType.BFloat16 => ElementType.BF16,
        ScalarType.Float32 => ElementType.F32,
        ScalarType.Float64 => ElementType.F64,
        _ => throw new ArgumentException($"safetensors cannot hold {type}.", nameof(type)),
    };
}

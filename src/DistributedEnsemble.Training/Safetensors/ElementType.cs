namespace DistributedEnsemble.Training.Safetensors;

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
}

using System.Text.Json;
using System.Text.Unicode;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Safetensors;

/// <summary>A tensor that a file holds.</summary>
/// <param name="Offset">Of its first byte in the data buffer.</param>
public sealed record TensorEntry(string Name, ElementType Type, IReadOnlyList<long> Shape, long Offset, long ByteCount);

/// <summary>The JSON header, believed only where it agrees with itself and with the length of the data buffer.</summary>
internal sealed record SafetensorsHeader(IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    private const int Dtype = 1, Shape = 2, Offsets = 4, All = 7;

    /// <param name="fail">Makes the exception for a reason.</param>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long bufferLength, Func<string, Exception> fail)
    {
        if (json.Length == 0 || json.Span[0] != '{') throw fail("the header does not start with {");
        if (!Utf8.IsValid(json.Span)) throw fail("the header is not UTF-8");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            var metadata = new Dictionary<string, string>();
            var tensors = new List<TensorEntry>();
            var names = new HashSet<string>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name)) throw fail($"the name {Quoted(property.Name)} occurs twice");
                if (property.Name == SafetensorsFormat.MetadataName) ReadMetadata(property.Value, metadata, fail);
                else tensors.Add(ReadTensor(property.Name, property.Value, fail));
            }

            return new SafetensorsHeader(InOrder(tensors, bufferLength, fail), metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escape sequence that is half of a surrogate pair.
            throw fail("the header is not valid JSON");
        }
    }

    private static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata, Func<string, Exception> fail)
    {
        if (value.ValueKind != JsonValueKind.Object) throw fail("__metadata__ is not an object");
        foreach (var entry in value.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String) throw fail($"the metadata {Quoted(entry.Name)} is not a string");
            if (!metadata.TryAdd(entry.Name, entry.Value.GetString()!)) throw fail($"the metadata {Quoted(entry.Name)} occurs twice");
        }
    }

    private static TensorEntry ReadTensor(string name, JsonElement value, Func<string, Exception> fail)
    {
        if (value.ValueKind != JsonValueKind.Object) throw fail($"{Quoted(name)} is not described by an object");
        var seen = 0;
        ElementType type = default;
        long[] shape = [], offsets = [];
        foreach (var property in value.EnumerateObject())
        {
            var bit = property.Name switch { "dtype" => Dtype, "shape" => Shape, "data_offsets" => Offsets, _ => 0 };
            if (bit == 0) throw fail($"{Quoted(name)} has the unknown key {Quoted(property.Name)}");
            if ((seen & bit) != 0) throw fail($"{Quoted(name)} has {property.Name} twice");
            seen |= bit;
            if (bit == Dtype) type = ReadType(name, property.Value, fail);
            else if (bit == Shape) shape = ReadNumbers(name, property, fail);
            else offsets = ReadNumbers(name, property, fail);
        }

        if (seen != All) throw fail($"{Quoted(name)} needs dtype, shape and data_offsets");
        if (offsets.Length != 2 || offsets[0] > offsets[1]) throw fail($"the data_offsets of {Quoted(name)} are not a begin and an end");
        var entry = new TensorEntry(name, type, shape, offsets[0], offsets[1] - offsets[0]);
        if (ByteCount(entry) != entry.ByteCount)
            throw fail($"the shape of {Quoted(name)}, [{string.Join(", ", shape)}] of {type.Format()}, does not take its {entry.ByteCount} bytes");
        return entry;
    }

    private static ElementType ReadType(string name, JsonElement value, Func<string, Exception> fail)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        return ElementTypes.Parse(text) ?? throw fail($"the dtype of {Quoted(name)}, {Quoted(text)}, is unknown");
    }

    private static long[] ReadNumbers(string name, JsonProperty property, Func<string, Exception> fail)
    {
        var fault = $"the {property.Name} of {Quoted(name)} is not a list of whole numbers from 0";
        if (property.Value.ValueKind != JsonValueKind.Array) throw fail(fault);
        return [.. property.Value.EnumerateArray().Select(number =>
            number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var whole) && whole >= 0 ? whole : throw fail(fault))];
    }

    /// <summary>−1 where the product does not fit.</summary>
    private static long ByteCount(TensorEntry entry)
    {
        // A size of zero empties the tensor, however large the others are.
        if (entry.Shape.Contains(0)) return 0;
        var product = (Int128)entry.Type.Size();
        foreach (var size in entry.Shape)
        {
            product *= size;
            if (product > long.MaxValue) return -1;
        }

        return (long)product;
    }

    private static List<TensorEntry> InOrder(List<TensorEntry> tensors, long bufferLength, Func<string, Exception> fail)
    {
        // OrderBy is stable: empty tensors keep the header's order.
        var ordered = tensors.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.ByteCount).ToList();
        long end = 0;
        foreach (var tensor in ordered)
        {
            if (tensor.Offset != end) throw fail($"{Quoted(tensor.Name)} starts at byte {tensor.Offset} of the data, where {end} is due");
            if (tensor.ByteCount > bufferLength - end) throw fail($"{Quoted(tensor.Name)} ends beyond the file: it is cut short");
            end += tensor.ByteCount;
        }

        return end == bufferLength ? ordered : throw fail($"{bufferLength - end} bytes follow the last tensor");
    }

    private static string Quoted(string text) => OneLine.Quoted(text);
}

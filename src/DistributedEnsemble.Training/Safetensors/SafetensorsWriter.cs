using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace DistributedEnsemble.Training.Safetensors;

/// <summary>Writes safetensors, the only form in which weights travel.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes the tensors one after the other, in the given order.</summary>
    /// <returns>The sha256 of the data buffer (the file without its header), lower-case hexadecimal.</returns>
    public static string Write(
        Stream stream, IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        stream.Write(Header(tensors, metadata));

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors)
        {
            long written = 0;
            tensor.Read(bytes =>
            {
                stream.Write(bytes);
                hash.AppendData(bytes);
                written += bytes.Length;
            });
            if (written != tensor.ByteCount)
                throw new InvalidOperationException($"{tensor.Name} gave {written} bytes, but its shape takes {tensor.ByteCount}.");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Length and JSON, padded with spaces so that the data buffer starts at a multiple of 8.</summary>
    private static byte[] Header(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(stackalloc byte[SafetensorsFormat.LengthBytes]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 }) WriteMetadata(json, metadata);
            WriteTensors(json, tensors);
            json.WriteEndObject();
        }

        while (buffer.WrittenCount % SafetensorsFormat.Alignment != 0) buffer.Write(" "u8);
        var header = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - SafetensorsFormat.LengthBytes);
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject(SafetensorsFormat.MetadataName);
        // Ordered, so that equal files have equal bytes whatever the dictionary.
        foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteTensors(Utf8JsonWriter json, IReadOnlyList<NamedTensor> tensors)
    {
        var names = new HashSet<string>();
        long offset = 0;
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name)) throw new ArgumentException($"Two tensors are named {tensor.Name}.", nameof(tensors));
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", tensor.Type.Format());
            json.WriteStartArray("shape");
            foreach (var size in tensor.Shape) json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(offset);
            json.WriteNumberValue(offset = checked(offset + tensor.ByteCount));
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }
}

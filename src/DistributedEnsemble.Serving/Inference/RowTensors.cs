using System.Text.Json;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>Makes rows of the one input of a request of HTTP: its numbers stand in the JSON, or behind it.</summary>
internal sealed class RowTensors(InputRows rows, HttpSettings limits, ReadOnlyMemory<byte> json, ReadOnlyMemory<byte> binary)
{
    /// <summary>The numbers that a shape holds; null if it does not fit the model, the limits or the request.</summary>
    public int? Length(long[] shape) => rows.Fault(shape, Sent(sizeof(byte))) is null ? (int)(shape[0] * rows.Width) : null;

    /// <inheritdoc cref="InputRows.OfJson"/>
    public float[] Read(ref Utf8JsonReader json, int length, long[] shape, InputDatatype type) => rows.OfJson(ref json, length, shape, type);

    /// <returns>Raw numbers, row after row.</returns>
    /// <exception cref="HttpError">The input does not fit the model, or its numbers are not those of its shape.</exception>
    public float[] Of(InputTensor input)
    {
        var type = InputDatatype.Parse(input.Datatype);
        var length = rows.Length(input.Shape, Sent(type.Size));
        if (input.BinarySize is not null && input.HasData)
            throw HttpError.BadRequest("The input has data and binary_data_size: its numbers are in the JSON or behind it, not both.");
        if (input.BinarySize is { } size) return Binary(size, length, type);
        if (!binary.IsEmpty) throw HttpError.BadRequest($"{binary.Length} bytes follow the JSON, and no input has a binary_data_size.");
        if (input.Numbers is { } numbers) return numbers;
        if (input.Unread is not { } unread) throw HttpError.BadRequest("The input has no data: it needs its numbers, row after row.");
        var later = new Utf8JsonReader(json.Span[unread], new JsonReaderOptions { MaxDepth = limits.MaxJsonDepth });
        later.Read();
        return rows.OfJson(ref later, length, input.Shape!, type);
    }

    /// <summary>A number takes two bytes of JSON at least, and its size behind it.</summary>
    private int Sent(int numberSize) => Math.Max(json.Length / 2, binary.Length / numberSize);

    private float[] Binary(long size, int length, InputDatatype type)
    {
        if (size != (long)length * type.Size || size != binary.Length)
        {
            throw HttpError.BadRequest(
                $"The input's binary_data_size is {size}, its shape needs {(long)length * type.Size} bytes, and {binary.Length} follow the JSON: they must agree.");
        }

        return rows.OfBytes(type, binary.Span, length);
    }
}

using System.Numerics.Tensors;
using System.Text.Json;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Silo.Http.Inference;

/// <summary>
/// What makes a model's rows of a request's input: one tensor with all numbers of each row, whatever it is named. Nothing is
/// allocated by a number that the body has not paid for with as many bytes.
/// </summary>
/// <param name="hold">Is told of memory before it is taken.</param>
internal sealed class InputRows(ServedModel model, HttpSettings limits, ReadOnlyMemory<byte> json, ReadOnlyMemory<byte> binary, Action<long> hold)
{
    /// <summary>Numbers of one row.</summary>
    public long Width { get; } = model.InputShape.Aggregate(1L, (product, size) => product * size);

    /// <summary>What a request needs, for people.</summary>
    public string InWords => $"one, \"{InferProtocol.InputName}\", of the shape {ShapeInWords}";

    private string ShapeInWords => $"[rows, {string.Join(", ", model.InputShape)}]";

    /// <summary>The numbers that a shape holds; null if it does not fit the model or the limits.</summary>
    public int? Length(long[] shape) => Fault(shape, sizeof(byte)) is null ? (int)(shape[0] * Width) : null;

    /// <returns>Raw numbers, row after row.</returns>
    /// <exception cref="HttpError">The input does not fit the model, or its numbers are not those of its shape.</exception>
    public float[] Of(InputTensor input)
    {
        var type = InputDatatype.Parse(input.Datatype);
        if (input.Shape is not { } shape) throw HttpError.BadRequest($"The input has no shape: it is {ShapeInWords}.");
        if (Fault(shape, type.Size) is { } fault) throw fault;
        var length = (int)(shape[0] * Width);
        if (input.BinarySize is not null && input.HasData)
            throw HttpError.BadRequest("The input has data and binary_data_size: its numbers are in the JSON or behind it, not both.");
        if (input.BinarySize is { } size) return Binary(size, length, type);
        if (!binary.IsEmpty) throw HttpError.BadRequest($"{binary.Length} bytes follow the JSON, and no input has a binary_data_size.");
        if (input.Numbers is { } numbers) return numbers;
        if (input.Unread is not { } unread) throw HttpError.BadRequest("The input has no data: it needs its numbers, row after row.");
        var later = new Utf8JsonReader(json.Span[unread], new JsonReaderOptions { MaxDepth = limits.MaxJsonDepth });
        later.Read();
        return Read(ref later, length, shape, type);
    }

    /// <inheritdoc cref="TensorData.Read"/>
    public float[] Read(ref Utf8JsonReader json, int length, long[] shape, InputDatatype type)
    {
        hold(sizeof(float) * (long)length);
        return TensorData.Read(ref json, length, shape, type);
    }

    private HttpError? Fault(long[] shape, int numberSize)
    {
        if (shape.Length != model.InputShape.Length + 1 || !shape.Skip(1).SequenceEqual(model.InputShape))
            return HttpError.BadRequest($"The input has the shape [{string.Join(", ", shape)}]: it must be {ShapeInWords}.");
        if (shape[0] < 1) return HttpError.BadRequest($"The input has {shape[0]} rows: it needs at least one.");
        if (shape[0] > limits.MaxRows) return HttpError.TooLarge($"The input has {shape[0]} rows: one request takes up to {limits.MaxRows}.");
        // A number takes two bytes of JSON at least, and its size behind it.
        var numbers = (Int128)shape[0] * Width;
        return numbers <= json.Length / 2 || numbers <= binary.Length / numberSize ? null
            : HttpError.BadRequest($"The shape [{string.Join(", ", shape)}] has {numbers} numbers, and the request has not so many.");
    }

    private float[] Binary(long size, int length, InputDatatype type)
    {
        if (size != (long)length * type.Size || size != binary.Length)
        {
            throw HttpError.BadRequest(
                $"The input's binary_data_size is {size}, its shape needs {(long)length * type.Size} bytes, and {binary.Length} follow the JSON: they must agree.");
        }

        hold(sizeof(float) * (long)length);
        var rows = GC.AllocateUninitializedArray<float>(length);
        type.Convert(binary.Span, rows);
        return TensorPrimitives.IsFiniteAll<float>(rows) ? rows : throw HttpError.BadRequest(
            $"Number {Array.FindIndex(rows, value => !float.IsFinite(value))} of the input is {rows.First(value => !float.IsFinite(value))} as float32: rows hold finite numbers only.");
    }
}

using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DistributedEnsemble.Silo.Http;

/// <summary>
/// Reads a request from the bytes of its body: JSON, or JSON with the numbers behind it (the binary tensor extension). Nothing is
/// allocated by a number that the body has not paid for with as many bytes.
/// </summary>
internal sealed class InferRequestReader
{
    /// <summary>More tensors than any request needs.</summary>
    private const int MostOutputs = 32;

    private readonly ServedModel _model;
    private readonly HttpSettings _limits;
    private readonly ReadOnlyMemory<byte> _json, _binary;
    private readonly long _width;

    private InferRequestReader(ServedModel model, HttpSettings limits, ReadOnlyMemory<byte> json, ReadOnlyMemory<byte> binary) =>
        (_model, _limits, _json, _binary, _width) = (model, limits, json, binary, model.InputShape.Aggregate(1L, (product, size) => product * size));

    /// <param name="jsonLength">Where the binary part begins; null if there is none.</param>
    /// <exception cref="HttpError">The body is no valid request, or breaks a limit.</exception>
    public static InferRequest Read(ServedModel model, HttpSettings limits, ReadOnlyMemory<byte> body, int? jsonLength)
    {
        if (jsonLength < 0 || jsonLength > body.Length)
        {
            throw HttpError.BadRequest($"{InferProtocol.JsonLength} is {jsonLength}, and the body has {body.Length} bytes: it says how many of them are JSON.");
        }

        var length = jsonLength ?? body.Length;
        try
        {
            return new InferRequestReader(model, limits, body[..length], body[length..]).Read();
        }
        catch (JsonException exception)
        {
            throw HttpError.BadRequest(
                $"The request is not JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}: {OneLine.Excerpt(exception.Message.Split(" LineNumber:")[0])}");
        }
        catch (InvalidOperationException)
        {
            // A text with half of a surrogate pair, or with bytes that are not UTF-8.
            throw HttpError.BadRequest("The request is not JSON: a text in it is not Unicode.");
        }
    }

    private InferRequest Read()
    {
        var json = new Utf8JsonReader(_json.Span, new JsonReaderOptions { MaxDepth = _limits.MaxJsonDepth });
        json.Read();
        Expect(ref json, JsonTokenType.StartObject, "The request", "an object");
        string? id = null;
        float[]? rows = null;
        InferParameters? parameters = null;
        List<(OutputTensor Tensor, bool? IsBinary)>? outputs = null;
        while (NextProperty(ref json, out var name))
        {
            switch (name)
            {
                case "id": id = Once(id, Text(ref json, "id"), "id"); break;
                case "parameters": parameters = Once(parameters, InferParametersReader.Read(ref json, _limits), "parameters"); break;
                case "inputs": rows = Once(rows, rows is null ? Inputs(ref json) : rows, "inputs"); break;
                case "outputs": outputs = Once(outputs, Outputs(ref json), "outputs"); break;
                default: json.Skip(); break;
            }
        }

        json.Read();
        if (rows is null) throw HttpError.BadRequest($"The request has no inputs: it needs one, \"{InferProtocol.InputName}\".");
        parameters ??= new InferParameters();
        return new InferRequest
        {
            Id = id,
            Rows = ImmutableCollectionsMarshal.AsImmutableArray(rows),
            RowCount = (int)(rows.Length / _width),
            Parameters = parameters,
            Outputs = outputs is null or []
                ? [new RequestedOutput(OutputTensor.Probabilities, parameters.BinaryOutput)]
                : [.. outputs.Select(output => new RequestedOutput(output.Tensor, output.IsBinary ?? parameters.BinaryOutput))],
        };
    }

    private float[] Inputs(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartArray, "inputs", "an array");
        float[]? rows = null;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (rows is not null) throw HttpError.BadRequest($"The request has more than one input: this model takes one, \"{InferProtocol.InputName}\".");
            rows = Input(ref json);
        }

        return rows ?? throw HttpError.BadRequest($"The request has no inputs: it needs one, \"{InferProtocol.InputName}\".");
    }

    private float[] Input(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject, "inputs[0]", "an object");
        string? name = null, datatype = null;
        long[]? shape = null;
        long? binarySize = null;
        float[]? data = null;
        (int Start, int End)? unread = null;
        while (NextProperty(ref json, out var property))
        {
            switch (property)
            {
                case "name": name = Once(name, Text(ref json, "inputs[0].name"), "inputs[0].name"); break;
                case "datatype": datatype = Once(datatype, Text(ref json, "inputs[0].datatype"), "inputs[0].datatype"); break;
                case "shape": shape = Once(shape, Shape(ref json), "inputs[0].shape"); break;
                case "parameters": binarySize = Once(binarySize, BinarySize(ref json), "inputs[0].parameters"); break;
                case "data" when data is not null || unread is not null: throw Twice("inputs[0].data");
                case "data" when shape is not null: data = TensorData.Read(ref json, CheckedLength(shape), shape); break;
                case "data": unread = Skip(ref json); break;
                default: json.Skip(); break;
            }
        }

        if (name != InferProtocol.InputName) throw HttpError.BadRequest($"The input is named {OneLine.Quoted(name)}: this model takes one, \"{InferProtocol.InputName}\".");
        if (datatype != "FP32") throw HttpError.BadRequest($"The input has the datatype {OneLine.Quoted(datatype)}: this model takes FP32.");
        if (shape is null) throw HttpError.BadRequest($"The input has no shape: it is {ShapeInWords}.");
        var length = CheckedLength(shape);
        if (binarySize is { } size && (data is not null || unread is not null))
            throw HttpError.BadRequest("The input has data and binary_data_size: its numbers are in the JSON or behind it, not both.");
        if (binarySize is { } bytes) return Binary(bytes, length);
        if (!_binary.IsEmpty) throw HttpError.BadRequest($"{_binary.Length} bytes follow the JSON, and no input has a binary_data_size.");
        if (data is not null) return data;
        if (unread is not { } place) throw HttpError.BadRequest("The input has no data: it needs its numbers, row after row.");
        var later = new Utf8JsonReader(_json.Span[place.Start..place.End], new JsonReaderOptions { MaxDepth = _limits.MaxJsonDepth });
        later.Read();
        return TensorData.Read(ref later, length, shape);
    }

    /// <summary>The rows of a shape that fits the model, and the bytes of the request.</summary>
    private int CheckedLength(long[] shape)
    {
        if (shape.Length != _model.InputShape.Length + 1 || !shape.Skip(1).SequenceEqual(_model.InputShape))
            throw HttpError.BadRequest($"The input has the shape [{string.Join(", ", shape)}]: it must be {ShapeInWords}.");
        if (shape[0] < 1) throw HttpError.BadRequest($"The input has {shape[0]} rows: it needs at least one.");
        if (shape[0] > _limits.MaxRows) throw HttpError.TooLarge($"The input has {shape[0]} rows: one request takes up to {_limits.MaxRows}.");
        // A number takes two bytes of JSON at least, and four behind it.
        var numbers = (Int128)shape[0] * _width;
        if (numbers > _json.Length / 2 && numbers > _binary.Length / sizeof(float))
            throw HttpError.BadRequest($"The shape [{string.Join(", ", shape)}] has {numbers} numbers, and the request has not so many.");
        return (int)numbers;
    }

    private float[] Binary(long size, int length)
    {
        if (size != (long)length * sizeof(float) || size != _binary.Length)
        {
            throw HttpError.BadRequest(
                $"The input's binary_data_size is {size}, its shape needs {(long)length * sizeof(float)} bytes, and {_binary.Length} follow the JSON: they must agree.");
        }

        var rows = GC.AllocateUninitializedArray<float>(length);
        _binary.Span.CopyTo(MemoryMarshal.AsBytes(rows.AsSpan()));
        return TensorPrimitives.IsFiniteAll<float>(rows) ? rows : throw HttpError.BadRequest(
            $"Number {Array.FindIndex(rows, value => !float.IsFinite(value))} of the input is {rows.First(value => !float.IsFinite(value))}: rows hold finite numbers only.");
    }

    private string ShapeInWords => $"[rows, {string.Join(", ", _model.InputShape)}]";

    private static (int Start, int End) Skip(ref Utf8JsonReader json)
    {
        var start = (int)json.TokenStartIndex;
        json.Skip();
        return (start, (int)json.BytesConsumed);
    }

    private static long[] Shape(ref Utf8JsonReader json)
    {
        const int MostDimensions = 8;
        Expect(ref json, JsonTokenType.StartArray, "inputs[0].shape", "an array");
        var shape = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var size) || shape.Count == MostDimensions)
                throw HttpError.BadRequest($"inputs[0].shape must be up to {MostDimensions} whole numbers.");
            shape.Add(size);
        }

        return [.. shape];
    }

    private static long? BinarySize(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject, "inputs[0].parameters", "an object");
        long? size = null;
        while (NextProperty(ref json, out var name))
        {
            if (IsForPeople(name)) json.Skip();
            else if (name != "binary_data_size") throw HttpError.BadRequest($"inputs[0].parameters.{OneLine.Excerpt(name)} is unknown: there is binary_data_size.");
            else if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var bytes)) size = Once(size, bytes, "inputs[0].parameters.binary_data_size");
            else throw HttpError.BadRequest("inputs[0].parameters.binary_data_size must be a whole number.");
        }

        return size;
    }

    private static List<(OutputTensor Tensor, bool? IsBinary)> Outputs(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartArray, "outputs", "an array");
        var outputs = new List<(OutputTensor Tensor, bool? IsBinary)>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var output = Output(ref json);
            if (outputs.Count == MostOutputs || outputs.Any(other => other.Tensor == output.Tensor))
                throw HttpError.BadRequest($"The output \"{output.Tensor.Name}\" is asked for twice: once is enough.");
            outputs.Add(output);
        }

        return outputs;
    }

    private static (OutputTensor Tensor, bool? IsBinary) Output(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject, "An output", "an object");
        string? name = null;
        bool? isBinary = null;
        while (NextProperty(ref json, out var property))
        {
            if (property == "name") name = Once(name, Text(ref json, "An output's name"), "An output's name");
            else if (property == "parameters") isBinary = Once(isBinary, BinaryData(ref json), "An output's parameters");
            else json.Skip();
        }

        return (OutputTensor.All.FirstOrDefault(tensor => tensor.Name == name) ?? throw HttpError.BadRequest(
            $"The model has no output {OneLine.Quoted(name)}: it has {string.Join(", ", OutputTensor.All.Select(tensor => tensor.Name))}."), isBinary);
    }

    private static bool? BinaryData(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject, "An output's parameters", "an object");
        bool? isBinary = null;
        while (NextProperty(ref json, out var name))
        {
            if (name == "binary_data")
                isBinary = json.TokenType is JsonTokenType.True or JsonTokenType.False ? json.GetBoolean() : throw HttpError.BadRequest("binary_data must be true or false.");
            else if (name == "classification") throw HttpError.BadRequest("classification is not supported: ask for the output \"label\".");
            else if (IsForPeople(name)) json.Skip();
            else throw HttpError.BadRequest($"An output's parameter {OneLine.Quoted(name)} is unknown: there is binary_data.");
        }

        return isBinary;
    }

    /// <summary>What other servers' clients say of their tensors, and what changes nothing here.</summary>
    private static bool IsForPeople(string parameter) => parameter is "content_type" or "headers";

    /// <summary>What is given twice means two things.</summary>
    private static T Once<T>(T given, T read, string what) => given is null ? read : throw Twice(what);

    private static HttpError Twice(string what) => HttpError.BadRequest($"{what} is given twice: keep one of the two.");

    /// <summary>Stands on the value of the next property; false at the end of the object.</summary>
    internal static bool NextProperty(ref Utf8JsonReader json, out string name)
    {
        json.Read();
        name = json.TokenType == JsonTokenType.PropertyName ? json.GetString()! : "";
        return json.TokenType == JsonTokenType.PropertyName && json.Read();
    }

    internal static string? Text(ref Utf8JsonReader json, string what) => json.TokenType switch
    {
        JsonTokenType.String => json.GetString(),
        JsonTokenType.Null => null,
        _ => throw HttpError.BadRequest($"{what} must be a text."),
    };

    internal static void Expect(ref Utf8JsonReader json, JsonTokenType type, string what, string rule)
    {
        if (json.TokenType != type) throw HttpError.BadRequest($"{what} must be {rule}.");
    }
}

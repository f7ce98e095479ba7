using System.Text.Json;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>One of a request's inputs as its JSON has it. Its numbers are read at once if what is needed for it comes before them.</summary>
internal sealed record InputTensor
{
    private const int MostDimensions = 8;

    public string? Name { get; private init; }

    /// <summary>As the client says it; null if it does not.</summary>
    public string? Datatype { get; private init; }

    public long[]? Shape { get; private init; }

    /// <summary>Bytes behind the JSON; null if the numbers are in it.</summary>
    public long? BinarySize { get; private init; }

    /// <summary>Null if they were not read yet.</summary>
    public float[]? Numbers { get; private init; }

    /// <summary>Where numbers stand that were not read yet.</summary>
    public Range? Unread { get; private init; }

    public bool HasData => Numbers is not null || Unread is not null;

    /// <param name="rows">What the model takes, and what makes rows of it.</param>
    /// <exception cref="HttpError">A field is not what it must be.</exception>
    public static InputTensor Read(ref Utf8JsonReader json, RowTensors rows)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartObject, "inputs[0]", "an object");
        string? name = null, datatype = null;
        long[]? shape = null;
        long? binarySize = null;
        float[]? numbers = null;
        Range? unread = null;
        while (JsonFields.Next(ref json, out var property))
        {
            switch (property)
            {
                case "name": name = JsonFields.Once(name, JsonFields.Text(ref json, "inputs[0].name"), "inputs[0].name"); break;
                case "datatype": datatype = JsonFields.Once(datatype, JsonFields.Text(ref json, "inputs[0].datatype"), "inputs[0].datatype"); break;
                case "shape": shape = JsonFields.Once(shape, InputFields.Shape(ref json, "inputs[0]", MostDimensions, $"up to {MostDimensions} whole numbers"), "inputs[0].shape"); break;
                case "parameters": binarySize = JsonFields.Once(binarySize, InputFields.BinarySize(ref json, "inputs[0]"), "inputs[0].parameters"); break;
                case "data" when numbers is not null || unread is not null: throw JsonFields.Twice("inputs[0].data");
                case "data" when json.TokenType == JsonTokenType.Null: break;
                case "data" when shape is not null && datatype is not null && rows.Length(shape) is { } length:
                    numbers = rows.Read(ref json, length, shape, InputDatatype.Parse(datatype));
                    break;
                case "data": unread = Skip(ref json); break;
                default: json.Skip(); break;
            }
        }

        return new InputTensor { Name = name, Datatype = datatype, Shape = shape, BinarySize = binarySize, Numbers = numbers, Unread = unread };
    }

    private static Range Skip(ref Utf8JsonReader json)
    {
        var start = (int)json.TokenStartIndex;
        json.Skip();
        return start..(int)json.BytesConsumed;
    }
}

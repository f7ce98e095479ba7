using System.Text;
using System.Text.Json;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>The numbers of a tensor in JSON: flat in row-major order, or nested as its shape says.</summary>
internal ref struct TensorData
{
    private readonly float[] _values;
    private readonly long[] _shape;
    private readonly InputDatatype _type;
    private int _count;

    private TensorData(float[] values, long[] shape, InputDatatype type) => (_values, _shape, _type) = (values, shape, type);

    /// <param name="length">The product of the shape, checked against the request's size.</param>
    /// <exception cref="HttpError">
    /// There are more or fewer numbers, one is not a finite float32 or not of the type, or they are nested otherwise.
    /// </exception>
    public static float[] Read(ref Utf8JsonReader json, int length, long[] shape, InputDatatype type)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartArray, "inputs[0].data", "an array of numbers");
        var data = new TensorData(new float[length], shape, type);
        json.Read();
        if (json.TokenType == JsonTokenType.StartArray) data.ReadNested(ref json, 0);
        else data.ReadNumbers(ref json);
        return data._count == length ? data._values : throw data.WrongCount(length);
    }

    /// <summary>Stands on the first element; ends on the bracket that closes.</summary>
    private void ReadNested(ref Utf8JsonReader json, int dimension)
    {
        if (dimension == _shape.Length - 1)
        {
            var before = _count;
            ReadNumbers(ref json);
            if (_count - before != _shape[^1]) throw OtherwiseNested();
            return;
        }

        long elements = 0;
        for (; json.TokenType != JsonTokenType.EndArray; json.Read(), elements++)
        {
            if (json.TokenType != JsonTokenType.StartArray) throw OtherwiseNested();
            json.Read();
            ReadNested(ref json, dimension + 1);
        }

        if (elements != _shape[dimension]) throw OtherwiseNested();
    }

    private void ReadNumbers(ref Utf8JsonReader json)
    {
        for (; json.TokenType != JsonTokenType.EndArray; json.Read())
        {
            if (json.TokenType != JsonTokenType.Number) throw HttpError.BadRequest($"Element {_count} of inputs[0].data is not a number.");
            if (_count == _values.Length) throw HttpError.BadRequest($"inputs[0].data has more than the {_values.Length} numbers of its shape.");
            if (!json.TryGetSingle(out var value) || !float.IsFinite(value)) throw Wrong(ref json, "is outside of float32");
            if (_type.IsWhole && value != MathF.Truncate(value)) throw Wrong(ref json, $"is no {_type.Name}");
            _values[_count++] = value;
        }
    }

    private readonly HttpError Wrong(ref Utf8JsonReader json, string rule) => HttpError.BadRequest(
        $"Element {_count} of inputs[0].data is {OneLine.Excerpt(Encoding.UTF8.GetString(json.ValueSpan[..Math.Min(40, json.ValueSpan.Length)]))}: it {rule}.");

    private readonly HttpError OtherwiseNested() =>
        HttpError.BadRequest($"inputs[0].data is not nested as its shape [{string.Join(", ", _shape)}] says.");

    private readonly HttpError WrongCount(int length) =>
        HttpError.BadRequest($"inputs[0].data has {_count} numbers, and its shape [{string.Join(", ", _shape)}] has {length}.");
}

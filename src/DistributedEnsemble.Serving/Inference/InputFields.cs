using System.Text.Json;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>What a request says of an input beside its numbers, whatever the input holds.</summary>
internal static class InputFields
{
    /// <param name="what">What errors call the input.</param>
    /// <param name="most">Of its dimensions.</param>
    /// <param name="rule">What a shape must be.</param>
    /// <returns>Null if the shape is.</returns>
    public static long[]? Shape(ref Utf8JsonReader json, string what, int most, string rule)
    {
        if (json.TokenType == JsonTokenType.Null) return null;
        JsonFields.Expect(ref json, JsonTokenType.StartArray, $"{what}.shape", "an array");
        var shape = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var size) || shape.Count == most)
                throw HttpError.BadRequest($"{what}.shape must be {rule}.");
            shape.Add(size);
        }

        return [.. shape];
    }

    /// <summary>The bytes behind the JSON that are the input's, of its parameters; null if its numbers stand in the JSON.</summary>
    /// <param name="what">What errors call the input.</param>
    public static long? BinarySize(ref Utf8JsonReader json, string what)
    {
        if (json.TokenType == JsonTokenType.Null) return null;
        JsonFields.Expect(ref json, JsonTokenType.StartObject, $"{what}.parameters", "an object");
        long? size = null;
        while (JsonFields.Next(ref json, out var name))
        {
            if (JsonFields.IsForPeople(name) || json.TokenType == JsonTokenType.Null) json.Skip();
            else if (name != "binary_data_size") throw HttpError.BadRequest($"{what}.parameters.{OneLine.Excerpt(name)} is unknown: there is binary_data_size.");
            else if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var bytes)) size = JsonFields.Once(size, bytes, $"{what}.parameters.binary_data_size");
            else throw HttpError.BadRequest($"{what}.parameters.binary_data_size is {JsonFields.Excerpt(json)}: it must be a whole number.");
        }

        return size;
    }
}

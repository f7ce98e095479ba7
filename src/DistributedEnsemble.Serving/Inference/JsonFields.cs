using System.Text;
using System.Text.Json;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>The fields of a request's objects, in the order in which they come; errors name what is wrong in one line.</summary>
internal static class JsonFields
{
    /// <summary>Stands on the value of the next property; false at the end of the object.</summary>
    public static bool Next(ref Utf8JsonReader json, out string name)
    {
        json.Read();
        name = json.TokenType == JsonTokenType.PropertyName ? json.GetString()! : "";
        return json.TokenType == JsonTokenType.PropertyName && json.Read();
    }

    /// <summary>Null is an absent text.</summary>
    public static string? Text(ref Utf8JsonReader json, string what) => json.TokenType switch
    {
        JsonTokenType.String => json.GetString(),
        JsonTokenType.Null => null,
        _ => throw HttpError.BadRequest($"{what} is {Excerpt(json)}: it must be a text."),
    };

    public static bool Flag(ref Utf8JsonReader json, string what) => json.TokenType is JsonTokenType.True or JsonTokenType.False
        ? json.GetBoolean()
        : throw HttpError.BadRequest($"{what} is {Excerpt(json)}: it must be true or false.");

    public static void Expect(ref Utf8JsonReader json, JsonTokenType type, string what, string rule)
    {
        if (json.TokenType != type) throw HttpError.BadRequest($"{what} must be {rule}.");
    }

    /// <summary>The beginning of a value that is refused.</summary>
    public static string Excerpt(Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.String => OneLine.Quoted(json.GetString()),
        _ => OneLine.Excerpt(Encoding.UTF8.GetString(json.ValueSpan)),
    };

    /// <summary>What is given twice means two things.</summary>
    public static T Once<T>(T given, T read, string what) => given is null ? read : throw Twice(what);

    public static HttpError Twice(string what) => HttpError.BadRequest($"{what} is given twice: keep one of the two.");

    /// <summary>What other servers' clients say of a request or of its tensors, and what changes nothing here.</summary>
    public static bool IsForPeople(string parameter) => parameter is "content_type" or "headers";
}

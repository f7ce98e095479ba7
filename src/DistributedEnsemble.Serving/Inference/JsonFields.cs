using System.Text;
using System.Text.Json;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>The fields of a request's objects, in the order in which they come; errors name what is wrong in one line.</summary>
internal static class JsonFields
{
    /// <summary>Bytes of what is decoded to be shown: a request may be all one value, and no lease counts its copy.</summary>
    private const int LongestShown = 400;

    /// <summary>Bytes of a name, an id or a parameter: none that means something is near.</summary>
    private const int LongestText = 1 << 16;

    /// <summary>Stands on the value of the next property; false at the end of the object.</summary>
    public static bool Next(ref Utf8JsonReader json, out string name)
    {
        json.Read();
        name = json.TokenType != JsonTokenType.PropertyName ? "" : json.ValueSpan.Length <= LongestShown ? json.GetString()! : Beginning(json);
        return json.TokenType == JsonTokenType.PropertyName && json.Read();
    }

    /// <summary>Null is an absent text.</summary>
    public static string? Text(ref Utf8JsonReader json, string what) => json.TokenType switch
    {
        JsonTokenType.String when json.ValueSpan.Length > LongestText => throw HttpError.BadRequest($"{what} is {Excerpt(json)}: it has up to {LongestText}."),
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
        JsonTokenType.String when json.ValueSpan.Length > LongestShown => $"a text of {json.ValueSpan.Length} bytes",
        JsonTokenType.String => OneLine.Quoted(json.GetString()),
        _ => OneLine.Excerpt(Beginning(json)),
    };

    private static string Beginning(Utf8JsonReader json) => Encoding.UTF8.GetString(json.ValueSpan[..Math.Min(LongestShown, json.ValueSpan.Length)]);

    /// <summary>What is given twice means two things.</summary>
    public static T Once<T>(T given, T read, string what) => given is null ? read : throw Twice(what);

    public static HttpError Twice(string what) => HttpError.BadRequest($"{what} is given twice: keep one of the two.");

    /// <summary>What other servers' clients say of a request or of its tensors, and what changes nothing here.</summary>
    public static bool IsForPeople(string parameter) => parameter is "content_type" or "headers";
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DistributedEnsemble.Specs;

/// <summary>A JSON object that only a network of the host's own understands. Equal to another of the same text.</summary>
public sealed record SpecSettings
{
    private static readonly JsonDocumentOptions s_options =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _text;

    private SpecSettings(string text) => _text = text;

    /// <summary>The most characters that settings have, without spaces.</summary>
    internal const int Longest = 65_536;

    /// <returns>A copy for each call: JSON objects can be changed.</returns>
    public JsonObject ToJson() => JsonNode.Parse(_text)!.AsObject();

    public override string ToString() => _text;

    /// <returns>Null if the text is no object, is too long, or names a key twice.</returns>
    internal static SpecSettings? TryParse(string text)
    {
        try
        {
            var json = JsonNode.Parse(text, null, s_options) as JsonObject;
            return json?.ToJsonString(s_json) is { Length: <= Longest } line ? new(line) : null;
        }
        // Half of a surrogate pair is no text.
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }
}

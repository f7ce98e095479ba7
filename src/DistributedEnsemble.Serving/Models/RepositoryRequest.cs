using System.Text.Json;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Models;

/// <summary>The bodies of the model repository extension: each is empty or an object.</summary>
internal static class RepositoryRequest
{
    /// <summary>A parameter of unloading that changes nothing: models here depend on no others.</summary>
    public const string UnloadDependents = "unload_dependents";

    private const int MaxDepth = 8;

    /// <summary>Whether an index lists ready models alone.</summary>
    /// <exception cref="HttpError">The body is something else.</exception>
    public static bool OnlyReady(ReadOnlyMemory<byte> body)
    {
        const string Rule = "the body is empty, or {\"ready\": true} for the ready models alone";
        using var json = Parse(body, Rule);
        if (json is null || !json.RootElement.TryGetProperty("ready", out var ready) || ready.ValueKind == JsonValueKind.Null) return false;
        return ready.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? ready.GetBoolean()
            : throw HttpError.BadRequest($"ready is {OneLine.Excerpt(ready.GetRawText())}: it must be true or false, and {Rule}.");
    }

    /// <summary>A run is served as it was trained: whatever would have it served otherwise is refused, for it would be ignored.</summary>
    /// <param name="harmless">A parameter that changes nothing here.</param>
    /// <exception cref="HttpError">The body asks for something, or is no JSON.</exception>
    public static void CheckNothingAsked(ReadOnlyMemory<byte> body, string? harmless)
    {
        const string Rule = "the body is empty, or an object without parameters";
        using var json = Parse(body, Rule);
        if (json is null) return;
        foreach (var member in json.RootElement.EnumerateObject())
        {
            if (member.Name != "parameters") throw NotTaken(member.Name);
            if (member.Value.ValueKind == JsonValueKind.Null) continue;
            if (member.Value.ValueKind != JsonValueKind.Object) throw HttpError.BadRequest($"parameters must be an object: {Rule}.");
            foreach (var parameter in member.Value.EnumerateObject())
            {
                if (parameter.Name != harmless) throw NotTaken($"parameters.{parameter.Name}");
            }
        }
    }

    public static HttpError NotTaken(string key) =>
        HttpError.BadRequest($"{OneLine.Excerpt(key)} is not taken: a run is served as it was trained, from its own folder.");

    /// <returns>Null for an empty body.</returns>
    private static JsonDocument? Parse(ReadOnlyMemory<byte> body, string rule)
    {
        if (body.Length == 0) return null;
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException)
        {
            throw HttpError.BadRequest($"The request is not JSON: {rule}.");
        }

        if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
        json.Dispose();
        throw HttpError.BadRequest($"The request is no JSON object: {rule}.");
    }
}

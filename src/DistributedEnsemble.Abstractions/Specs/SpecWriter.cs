using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DistributedEnsemble.Specs;

/// <summary>From values to text: the keys of a layer in the order of the records, the same on every platform.</summary>
internal static class SpecWriter
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(SpecLayer layer) => Section(layer, SpecSchema.Root).ToJsonString(s_json);

    /// <summary>The same without spaces.</summary>
    public static string WriteLine(SpecLayer layer) => Section(layer, SpecSchema.Root).ToJsonString(s_line);

    /// <summary>A value as in a spec, without spaces.</summary>
    public static string WriteLine(object? value) => Value(value)?.ToJsonString(s_line) ?? "null";

    private static JsonObject Section(SpecLayer layer, SpecSection section)
    {
        var json = new JsonObject();
        foreach (var entry in section.Entries)
        {
            if (entry is SpecKey && layer.Names(entry.Path)) json[entry.Name] = Value(layer[entry.Path]);
            if (entry is not SpecSection child) continue;
            var keys = Section(layer, child);
            if (layer[child.Path] is false) json[child.Name] = null;
            else if (keys.Count > 0 || layer.Has(child.Path)) json[child.Name] = keys;
        }

        return json;
    }

    private static JsonNode? Value(object? value) => value switch
    {
        null => null,
        SpecSettings settings => settings.ToJson(),
        SpecList<SpecVariant> variants => new JsonArray([.. variants.Select(variant => variant.ToJson())]),
        SpecSearch search => search.ToJson(),
        Enum choice => SpecNames.OfChoice(choice),
        _ => JsonSerializer.SerializeToNode(value, value.GetType()),
    };
}

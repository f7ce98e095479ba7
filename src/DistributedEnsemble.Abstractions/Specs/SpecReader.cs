using System.Text.Json;

namespace DistributedEnsemble.Specs;

/// <summary>From text to checked values: known keys only, each once, of the right type and in range.</summary>
internal static class SpecReader
{
    private static readonly JsonDocumentOptions s_json = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <exception cref="SpecException">The text is no spec.</exception>
    public static SpecLayer Read(string text) => ReadSection(SpecLayer.Empty, SpecSchema.Root, Parse(text));

    /// <summary>Reads what a run recorded, with keys that there are no more.</summary>
    /// <exception cref="SpecException">The text is no spec.</exception>
    public static (SpecLayer Keys, FormerKeys Former) ReadRecorded(string text)
    {
        var spec = Parse(text);
        return (ReadSection(SpecLayer.Empty, SpecSchema.Root, spec, isRecorded: true), FormerKeys.Of(spec));
    }

    /// <summary>Reads a value at a path, as --set has it: JSON if it can be read as JSON, else a text.</summary>
    /// <exception cref="SpecException">There is no such path, or it takes no such value.</exception>
    public static SpecLayer Read(SpecLayer layer, string path, string value)
    {
        var entry = Find(path);
        return ReadEntry(layer, entry, ValueOf(entry, value));
    }

    /// <summary>Reads a partial spec of some members.</summary>
    /// <param name="place">What errors call it.</param>
    /// <exception cref="SpecException">It is no partial spec, or has a key that all members share.</exception>
    public static SpecVariant ReadVariant(string place, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object) throw SpecValue.Wrong(place, value, "it must be a partial spec in braces, as in {\"model\": {\"hidden\": [64]}}");
        try
        {
            var layer = ReadSection(SpecLayer.Empty, SpecSchema.Root, value);
            if (SpecSchema.Entries.FirstOrDefault(entry => entry.IsOfRun && layer.Names(entry.Path)) is { } shared) throw SpecRules.OfTheRun(shared, layer[shared.Path]);
            return new SpecVariant(layer);
        }
        catch (SpecException error)
        {
            throw SpecVariant.Error(place, error);
        }
    }

    /// <summary>The key at a path.</summary>
    /// <exception cref="SpecException">There is none.</exception>
    public static SpecEntry Find(string path)
    {
        SpecEntry entry = SpecSchema.Root;
        foreach (var name in path.Split('.'))
        {
            if (entry is not SpecSection section)
                throw new SpecException($"{SpecValue.Shown(path)} is an unknown key: {entry.Path} is a value and has no keys.");
            entry = section.Find(name) ?? throw FormerKeys.Error(section, name) ?? UnknownKey.Error(section, name);
        }

        return entry;
    }

    private static SpecLayer ReadEntry(SpecLayer layer, SpecEntry entry, JsonElement value, bool isRecorded = false) => entry is SpecKey key
        ? layer.With(key, SpecValue.Read(key, value))
        : ReadSection(layer, (SpecSection)entry, value, isRecorded);

    private static SpecLayer ReadSection(SpecLayer layer, SpecSection section, JsonElement value, bool isRecorded = false)
    {
        if (value.ValueKind is JsonValueKind.Null && section.IsNullable) return layer.With(section, on: false);
        if (value.ValueKind is not JsonValueKind.Object)
        {
            throw SpecValue.Wrong(section.Section is null ? "The spec" : section.Path, value,
                section.IsNullable ? "it must be a section in braces, or null (off)" : "it must be a section in braces");
        }

        layer = layer.With(section, on: true);
        var seen = new HashSet<string>();
        foreach (var property in value.EnumerateObject())
        {
            var name = NameOf(property);
            if (isRecorded && FormerKeys.Error(section, name) is not null) continue;
            var entry = section.Find(name) ?? throw FormerKeys.Error(section, name) ?? UnknownKey.Error(section, name);
            if (!seen.Add(name)) throw new SpecException($"{entry.Path} is given twice: keep one of the two.");
            layer = ReadEntry(layer, entry, property.Value, isRecorded);
        }

        return layer;
    }

    private static JsonElement Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) throw new SpecException("The spec is empty: {} is the spec that leaves every key at its default.");
        try
        {
            return JsonElement.Parse(text, s_json);
        }
        catch (JsonException error)
        {
            var reason = error.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new SpecException(
                $"The spec is not JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}: {SpecValue.Shown(reason)}.");
        }
        catch (ArgumentException)
        {
            throw new SpecException("The spec is not JSON: it holds half of a surrogate pair.");
        }
    }

    // For a text key 7 and true are texts, too: a shell's user sees no quotes.
    private static JsonElement ValueOf(SpecEntry entry, string value)
    {
        try
        {
            var json = JsonElement.Parse(value, s_json);
            if (entry is not SpecKey { IsText: true } || json.ValueKind is JsonValueKind.String or JsonValueKind.Null) return json;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            // Not JSON, so it is a text.
        }

        return JsonSerializer.SerializeToElement(value);
    }

    internal static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw new SpecException("The spec is not JSON: a key holds half of a surrogate pair.");
        }
    }
}

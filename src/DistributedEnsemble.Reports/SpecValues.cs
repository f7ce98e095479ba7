using System.Text.Json;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Reports;

/// <summary>A spec as a list of keys and values, for tools that know no sections.</summary>
public static class SpecValues
{
    /// <summary>In the order of the spec; lists are one value each, and what is off is left out.</summary>
    public static IReadOnlyList<(string Key, JsonElement Value)> Of(EnsembleSpec spec)
    {
        var values = new List<(string, JsonElement)>();
        // Without the line breaks that people read it with.
        Add("", JsonElement.Parse(JsonSerializer.SerializeToUtf8Bytes(JsonElement.Parse(spec.ToJson()))));
        return values;

        void Add(string prefix, JsonElement element)
        {
            foreach (var property in element.EnumerateObject())
            {
                if (property.Value.ValueKind == JsonValueKind.Object) Add($"{prefix}{property.Name}.", property.Value);
                else if (property.Value.ValueKind != JsonValueKind.Null) values.Add((prefix + property.Name, property.Value));
            }
        }
    }

    /// <summary>The last word of a key, if no other of the keys ends in it; else all of it.</summary>
    public static string ShortName(string key, IReadOnlyList<string> keys) => keys.Count(other => LastOf(other) == LastOf(key)) == 1 ? LastOf(key) : key;

    /// <summary>A value as people read it: text without quotation marks, and a dash for what is not there.</summary>
    /// <param name="value">In JSON.</param>
    public static string Plainly(string? value)
    {
        if (value is null) return "–";
        var element = JsonElement.Parse(value);
        return element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText();
    }

    private static string LastOf(string key) => key[(key.LastIndexOf('.') + 1)..];
}

using System.Text.Json;
using System.Text.Json.Nodes;

namespace DistributedEnsemble.Specs;

/// <summary>The keys that variants are drawn over, and what from. Equal to another of the same text.</summary>
public sealed record SpecSearch
{
    internal const string Rule = "it must name at least one key and what it is drawn from, as in "
        + "{\"training.schedule.learningRate\": [1e-4, 0.1, \"log\"], \"model.hidden\": [[64], [128, 128]]}";

    private readonly string _text;

    private SpecSearch(string text, IReadOnlyList<SearchedKey> keys) => (_text, Keys) = (text, keys);

    internal IReadOnlyList<SearchedKey> Keys { get; }

    public JsonObject ToJson() => JsonNode.Parse(_text)!.AsObject();

    public override string ToString() => _text;

    public bool Equals(SpecSearch? other) => other is not null && _text == other._text;

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <exception cref="SpecException">It is no object, or has a key that cannot be drawn from what it says.</exception>
    internal static SpecSearch Read(SpecKey key, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object || !value.EnumerateObject().Any()) throw SpecValue.Wrong(key.Path, value, key.Rule);
        var keys = new List<SearchedKey>();
        try
        {
            foreach (var property in value.EnumerateObject())
            {
                var path = SpecReader.NameOf(property);
                var entry = SpecReader.Find(path);
                if (entry is not SpecKey searched) throw new SpecException($"{path} is a section: name one of its keys, such as {((SpecSection)entry).Entries[0].Path}.");
                if (entry.IsOfRun) throw new SpecException($"{path} cannot be drawn: all members of a run share it.");
                if (keys.Any(other => other.Key == searched)) throw new SpecException($"{path} is given twice: keep one of the two.");
                keys.Add(SearchedKey.Read(searched, property.Value));
            }
        }
        catch (SpecException error)
        {
            throw new SpecException($"{key.Path}: {error.Message}");
        }

        return new SpecSearch(new JsonObject(value.EnumerateObject().Select(property =>
            KeyValuePair.Create(property.Name, JsonSerializer.SerializeToNode(property.Value)))).ToJsonString(), keys);
    }

    /// <summary>A spec with the variants that its search draws; the same spec and seed draw the same.</summary>
    /// <param name="complete">
    /// Writes each kind's own learning rate into the variants, unless the run's rate was chosen (the flag), which counts for all kinds. A spec that
    /// was recorded has its variants in this form; what it does not say is whether the rate was chosen, so both are tried.
    /// </param>
    /// <exception cref="SpecException">It has other variants already.</exception>
    internal static EnsembleSpec Drawn(EnsembleSpec spec, Func<EnsembleSpec, bool, EnsembleSpec> complete)
    {
        if (spec.Search is not { Over: { } over } search) return spec;
        var count = search.Count ?? spec.Members;
        var drawn = spec with { Variants = [.. Enumerable.Range(0, count).Select(variant => over.Draw(spec.Seed, variant))], Search = search with { Count = count } };
        if (spec.Variants.Count == 0) return drawn;
        return spec.Variants.Equals(drawn.Variants) || spec.Variants.Equals(complete(drawn, true).Variants) || spec.Variants.Equals(complete(drawn, false).Variants)
            ? drawn with { Variants = spec.Variants }
            : throw new SpecException($"search draws other variants with seed {spec.Seed} than variants has: leave one of the two out.");
    }

    private SpecVariant Draw(ulong seed, int variant)
    {
        var layer = Keys.Aggregate(SpecLayer.Empty, (drawn, key) => drawn.With(key.Key, key.Draw(seed, variant)));
        // Where a kind is drawn, keys of the other kinds are not.
        foreach (var key in Keys.Select(searched => searched.Key))
        {
            if (key.IsOfSomeKinds && layer[key.Section!.Kind!.Path] is { } kind && !key.AppliesTo(SpecNames.OfKind(kind))) layer = layer.Without(key.Path);
        }

        return new SpecVariant(layer);
    }
}

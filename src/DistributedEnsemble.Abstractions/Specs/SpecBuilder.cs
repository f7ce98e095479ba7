namespace DistributedEnsemble.Specs;

/// <summary>Between the records of a spec and the values by path.</summary>
internal static class SpecBuilder
{
    /// <summary>The values of a layer, and the defaults where it is silent.</summary>
    public static EnsembleSpec Build(SpecLayer layer, EnsembleSpec defaults) => (EnsembleSpec)Build(layer, SpecSchema.Root, defaults);

    /// <summary>Every key that the kinds of a spec have.</summary>
    public static SpecLayer LayerOf(EnsembleSpec spec) => LayerOf(SpecLayer.Empty, SpecSchema.Root, spec);

    private static object Build(SpecLayer layer, SpecSection section, object defaults)
    {
        var result = section.New();
        foreach (var entry in section.Entries)
        {
            var fallback = entry.ValueIn(defaults);
            entry.Property!.SetValue(result, entry is not SpecSection child ? layer[entry.Path] ?? fallback
                : child.IsNullable && !(layer[child.Path] as bool? ?? fallback is not null) ? null
                : Build(layer, child, fallback ?? child.New()));
        }

        return result;
    }

    private static SpecLayer LayerOf(SpecLayer layer, SpecSection section, object values)
    {
        var kind = section.Kind?.ValueIn(values) is { } value ? SpecNames.OfKind(value) : null;
        foreach (var entry in section.Entries)
        {
            layer = (entry, entry.ValueIn(values)) switch
            {
                (SpecSection child, null) => layer.With(child, on: false),
                (SpecSection child, { } below) => LayerOf(layer.With(child, on: true), child, below),
                (SpecKey key, var leaf) when kind is null || key.AppliesTo(kind) => layer.With(key, leaf),
                _ => layer,
            };
        }

        return layer;
    }
}

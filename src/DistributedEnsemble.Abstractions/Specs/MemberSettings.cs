using System.Collections.Immutable;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Specs;

/// <summary>What the specs of members that differ say: the keys in which they do.</summary>
internal static class MemberSettings
{
    /// <param name="spec">The run's.</param>
    /// <returns>Of each of the members, the same keys in the order of a spec; empty where all members of the run have one spec.</returns>
    public static ImmutableArray<ImmutableArray<MemberSetting>> Of(EnsembleSpec spec, IReadOnlyList<int> members)
    {
        if (spec.Variants.Count < 2) return [];
        var variants = Enumerable.Range(0, spec.Variants.Count).Select(variant => SpecBuilder.LayerOf(spec.OfMember(variant))).ToArray();
        var sections = new HashSet<string>();
        var keys = SpecSchema.Keys.Where(key => !key.IsOfRun && IsTold(key)).ToArray();
        if (keys.Length == 0) return [];
        return [.. members.Select(member => keys.Select(key => new MemberSetting(key.Path, Value(variants[member % variants.Length], key))).ToImmutableArray())];

        // Of a section that some members have and others have not, keys that say the same wherever it is on tell nothing after the first.
        bool IsTold(SpecKey key)
        {
            string?[] values = [.. variants.Select(variant => Value(variant, key)).Distinct()];
            return values.Length > 1 && (values.Length > 2 || !values.Contains(null) || sections.Add(key.Path[..Math.Max(0, key.Path.LastIndexOf('.'))]));
        }
    }

    private static string? Value(SpecLayer layer, SpecKey key) => layer[key.Path] is { } value ? SpecWriter.WriteLine(value) : null;
}

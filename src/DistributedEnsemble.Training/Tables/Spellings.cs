namespace DistributedEnsemble.Training.Tables;

/// <summary>Texts that mean the same level, because each program writes booleans in its own way: Parquet has no text for them at all.</summary>
internal static class Spellings
{
    private static readonly string[][] s_booleans = [["true", "True", "TRUE"], ["false", "False", "FALSE"]];

    /// <summary>How often each level stands there, one that is spelled in several ways by its commonest.</summary>
    public static IReadOnlyDictionary<string, long> Merged(IReadOnlyDictionary<string, long> levels)
    {
        var merged = new Dictionary<string, long>(levels, StringComparer.Ordinal);
        foreach (var spellings in s_booleans.Select(texts => texts.Where(levels.ContainsKey).ToArray()).Where(spellings => spellings.Length > 1))
        {
            var commonest = spellings.MaxBy(text => levels[text])!;
            foreach (var text in spellings) merged.Remove(text);
            merged[commonest] = spellings.Sum(text => levels[text]);
        }

        return merged;
    }

    /// <summary>The place of each text: a level's own spelling comes before the others'.</summary>
    public static Dictionary<string, int> Places(IEnumerable<string> levels)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (place, level) in levels.Index()) if (level is not null) places.TryAdd(level, place);
        foreach (var (level, place) in places.ToArray())
        {
            foreach (var other in s_booleans.FirstOrDefault(texts => texts.Contains(level)) ?? []) places.TryAdd(other, place);
        }

        return places;
    }
}

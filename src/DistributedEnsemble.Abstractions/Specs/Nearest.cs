namespace DistributedEnsemble.Specs;

/// <summary>Finds what was meant by a word that nobody knows.</summary>
internal static class Nearest
{
    // Nothing that is longer can be near to a name of ours, and distances are quadratic.
    private const int LongestWord = 100;

    /// <summary>The name that shares most with the word: four letters too few in a long name are nearer than four others in a short one.</summary>
    public static string Of(string word, IEnumerable<string> names) => names.MinBy(name => Difference(word, name))!;

    /// <returns>The same, or null if no name shares half of its letters with the word: then nobody meant any of them.</returns>
    public static string? Like(string word, IEnumerable<string> names)
    {
        var nearest = Of(word, names);
        return Difference(word, nearest) <= 0.5 ? nearest : null;
    }

    /// <summary>How many letters must be added, dropped or replaced (Levenshtein, 1966), whatever their case.</summary>
    public static int Distance(string word, string name)
    {
        word = (word.Length > LongestWord ? word[..LongestWord] : word).ToLowerInvariant();
        name = name.ToLowerInvariant();
        var row = Enumerable.Range(0, name.Length + 1).ToArray();
        for (var i = 1; i <= word.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= name.Length; j++)
            {
                var replaced = diagonal + (word[i - 1] == name[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }

    /// <summary>The share of letters that differ, in [0, 1].</summary>
    private static double Difference(string word, string name) => (double)Distance(word, name) / Math.Max(1, Math.Max(word.Length, name.Length));
}

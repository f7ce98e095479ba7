namespace DistributedEnsemble.Specs;

internal static class UnknownKey
{
    /// <summary>What stands between the key and the way out.</summary>
    internal const string Middle = " is an unknown key: ";

    /// <summary>Names the key that was meant, in this section or another; or all keys of the section if nothing is near.</summary>
    public static SpecException Error(SpecSection section, string name)
    {
        var near = SpecSchema.Entries.GroupBy(entry => Cost(section, name, entry)).MinBy(group => group.Key)!;
        var wayOut = near.Key <= Math.Max(3, name.Length + 1)
            ? $"did you mean {SpecNames.List([.. near.Select(entry => entry.Path)], "or")}?"
            : $"the keys here are {SpecNames.List([.. section.Entries.Select(entry => entry.Name)], "and")}.";
        var path = name.Length == 0 ? "\"\"" : SpecValue.Shown(section.PathOf(name));
        return new($"{path}{Middle}{wayOut}");
    }

    // Twice the distance, so that a right name in another section is nearer than a wrong one here, and ties stay at home.
    private static int Cost(SpecSection section, string name, SpecEntry entry) =>
        2 * Nearest.Distance(name, entry.Name) + (entry.Section == section ? 0 : 1);
}

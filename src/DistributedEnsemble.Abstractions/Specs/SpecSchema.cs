namespace DistributedEnsemble.Specs;

/// <summary>
/// Every key of an <see cref="EnsembleSpec"/>: its type, range, default and meaning. Read from the records themselves, so
/// that what is checked, what is told and what is documented are one.
/// </summary>
public static class SpecSchema
{
    /// <summary>The keys in the order in which a spec is written.</summary>
    public static IReadOnlyList<SpecKey> Keys { get; }

    internal static SpecSection Root { get; } = new();

    /// <summary>Keys and sections, without the root.</summary>
    internal static IReadOnlyList<SpecEntry> Entries { get; }

    static SpecSchema()
    {
        Entries = [.. Below(Root)];
        Keys = [.. Entries.OfType<SpecKey>()];
    }

    internal static SpecKey Key(string path) => Keys.First(key => key.Path == path);

    private static IEnumerable<SpecEntry> Below(SpecSection section) =>
        section.Entries.SelectMany(entry => entry is SpecSection child ? Below(child).Prepend(child) : [entry]);
}

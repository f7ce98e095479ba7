namespace DistributedEnsemble.Client.Data;

/// <summary>A dataset that runs can be trained on, found or not.</summary>
/// <param name="Places">Where it is looked for, in that order; the word "built in" for one that needs no file.</param>
internal sealed record DatasetEntry(string Name, string Description, bool Found, IReadOnlyList<string> Places);

using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Runs;

/// <summary>
/// Identifies a run: its name for people and folders, its random id for everything else, so that a name that was deleted
/// and used again meets nothing old. The key of every grain of the run.
/// </summary>
[GenerateSerializer, Immutable, Alias("ensemble.run-key")]
public readonly record struct RunKey([property: Id(0)] string Name, [property: Id(1)] Guid Id)
{
    public static RunKey New(string name) => new(name, Guid.NewGuid());

    /// <summary>Reads NAME@ID.</summary>
    /// <exception cref="FormatException">The text is not that.</exception>
    public static RunKey Parse(string key) => TryParse(key) ?? throw new FormatException($"{OneLine.Quoted(key)} is not NAME@ID.");

    /// <returns>Null if the text is not NAME@ID.</returns>
    public static RunKey? TryParse(string? key) =>
        key?.LastIndexOf('@') is >= 0 and var at && Guid.TryParseExact(key[(at + 1)..], "N", out var id) && RunName.IsValid(key[..at]) ? new RunKey(key[..at], id) : null;

    public override string ToString() => $"{Name}@{Id:N}";
}

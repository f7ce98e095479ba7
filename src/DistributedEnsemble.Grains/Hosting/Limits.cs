namespace DistributedEnsemble.Grains.Hosting;

/// <summary>
/// What clients can take of a cluster, and what a silo keeps of data, which refuses nothing. Each is a setting, too:
/// <c>ENSEMBLE__LIMITS__MAXUPLOADBYTES</c> and so on; docs/operations.md lists them.
/// </summary>
public sealed record Limits
{
    /// <summary>Bytes of one data file that a client sends.</summary>
    public long MaxUploadBytes { get; init; } = 4L << 30;

    /// <summary>Bytes of all data files in the store, those that are being sent counted as announced.</summary>
    public long MaxUploadsBytes { get; init; } = 64L << 30;

    /// <summary>How long an upload may rest before what is there of it is removed, and a whole one that no run names may be.</summary>
    public TimeSpan UploadExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Runs that wait or train at a time.</summary>
    public int MaxUnfinishedRuns { get; init; } = 100;

    /// <summary>Members of all those runs.</summary>
    public int MaxUnfinishedMembers { get; init; } = 10_000;

    /// <summary>Runs in the store, ended ones too.</summary>
    public int MaxRuns { get; init; } = 10_000;

    /// <summary>Columns of a run's data: every one is named in the run's record, which is written whole.</summary>
    public int MaxColumns { get; init; } = 32_768;

    /// <summary>Entries of one page of a list.</summary>
    public int MaxListed { get; init; } = 1000;

    /// <summary>Bytes of a table's inputs that a silo keeps in memory: more lie in a file without a name in its folder of runs, and nothing is refused.</summary>
    public long MaxInputsInMemory { get; init; } = 256L << 20;

    /// <summary>How long a silo keeps data that no run uses any more.</summary>
    public TimeSpan DataLinger { get; init; } = TimeSpan.FromMinutes(1);

    /// <returns>What is wrong with a value, as a line for people; null if nothing is.</returns>
    public string? Fault()
    {
        return Whole(nameof(MaxUploadBytes), MaxUploadBytes) ?? Whole(nameof(MaxUploadsBytes), MaxUploadsBytes)
            ?? Span(nameof(UploadExpiry), UploadExpiry, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365))
            ?? Whole(nameof(MaxUnfinishedRuns), MaxUnfinishedRuns) ?? Whole(nameof(MaxUnfinishedMembers), MaxUnfinishedMembers)
            ?? Whole(nameof(MaxRuns), MaxRuns) ?? Whole(nameof(MaxColumns), MaxColumns) ?? Whole(nameof(MaxListed), MaxListed)
            ?? Whole(nameof(MaxInputsInMemory), MaxInputsInMemory)
            ?? Span(nameof(DataLinger), DataLinger, TimeSpan.Zero, TimeSpan.FromDays(1));

        static string? Whole(string name, long value) => value >= 1 ? null : $"{Name(name)} is {value}: it must be a whole number from 1.";

        static string? Span(string name, TimeSpan value, TimeSpan from, TimeSpan to) =>
            value >= from && value <= to ? null : $"{Name(name)} is {value}: it must be a time from {from} to {to}, as in 01:00:00.";
    }

    /// <summary>The environment variable of a limit.</summary>
    public static string Name(string limit) => $"ENSEMBLE__LIMITS__{limit.ToUpperInvariant()}";
}

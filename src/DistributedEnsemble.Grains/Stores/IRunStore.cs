using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>
/// Keeps the records of runs. What makes a run is written once; its state is small and carries the version; what happens to
/// members is added: the bytes of a write depend on what has changed, not on what is there.
/// </summary>
internal interface IRunStore
{
    /// <returns>Null if there is none.</returns>
    /// <exception cref="InvalidDataException">The record is damaged.</exception>
    /// <exception cref="RecordsAwayException">The store does not do what it is asked.</exception>
    Task<StoredRun?> ReadAsync(RunKey run);

    /// <summary>Writes what has changed, all of it or nothing, unless another one has written since <paramref name="version"/>.</summary>
    /// <param name="before">The record of that version; null writes all of <paramref name="after"/>.</param>
    /// <param name="next">The version of <paramref name="after"/>, for a write that is made again if the store was away; null makes one.</param>
    /// <returns>The version of <paramref name="after"/>.</returns>
    /// <exception cref="InconsistentStateException">Another one has written meanwhile.</exception>
    /// <exception cref="RecordsAwayException">The store does not do what it is asked: it may have written all the same.</exception>
    Task<RecordVersion> WriteAsync(RunKey run, RecordVersion version, RunRecord? before, RunRecord after, RecordVersion? next = null);

    Task ClearAsync(RunKey run);

    /// <summary>
    /// Deletes a file that the record, as this process wrote it last, does not name any more. One that a copy still names, from
    /// which the run of a lost store goes on, goes when that copy is newer, for which nobody waits; or when the run ends.
    /// </summary>
    Task DropAsync(RunFolder folder, RunKey run, WeightFile file) => Task.Run(() => folder.Delete(file.File));
}

internal sealed record StoredRun(RunRecord Record, RecordVersion Version);

/// <summary>Which record a store has: the fence. Each write makes a new one that nobody else can make.</summary>
/// <param name="Number">Grows with every write.</param>
/// <param name="Writer">Of the one who wrote it; null if there is none yet.</param>
/// <param name="Compared">What the store must still have for a write to succeed; null for the version itself.</param>
internal sealed record RecordVersion(long Number, string? Writer, RecordVersion? Compared = null)
{
    public static RecordVersion None { get; } = new(0, null);

    /// <summary>What the store must have for a write to succeed.</summary>
    public RecordVersion Expected => Compared ?? this;

    public RecordVersion Next() => Next(Guid.NewGuid().ToString("N")[..16]);

    public RecordVersion Next(string writer) => new(Math.Max(Number, Expected.Number) + 1, writer);

    /// <summary>
    /// Which of two records is a run's: that of the store, unless the store has lost what it had. The folder's copy of a record
    /// is written after the store's, so it is later only then.
    /// </summary>
    /// <param name="stored">What the store has.</param>
    /// <param name="copy">The copy in the run's folder.</param>
    public static StoredRun? Later(StoredRun? stored, StoredRun? copy) =>
        copy is null || (stored is not null && stored.Version.Number >= copy.Version.Number)
            ? stored
            : copy with { Version = copy.Version with { Compared = stored?.Version ?? None } };

    public override string ToString() => $"{Number}-{Writer}";
}

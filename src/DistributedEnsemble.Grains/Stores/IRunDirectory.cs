using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>Finds runs in the store: also those that this cluster has had nothing to do with yet.</summary>
internal interface IRunDirectory
{
    /// <returns>Null if no run has the name.</returns>
    /// <exception cref="InvalidDataException">The run's record is damaged.</exception>
    Task<RunKey?> FindAsync(string name);

    /// <summary>Every run, by name.</summary>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    Task<ImmutableArray<RunKey>> AllAsync(CancellationToken cancellation);

    /// <summary>How many runs have a name.</summary>
    Task<long> CountAsync();

    /// <summary>The runs that go on by themselves when a cluster starts again.</summary>
    Task<ImmutableArray<RunKey>> UnfinishedAsync();
}

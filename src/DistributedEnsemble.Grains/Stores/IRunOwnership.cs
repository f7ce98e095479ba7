using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>Who may train and change a run: one process of those that share a folder, or one cluster.</summary>
internal interface IRunOwnership
{
    /// <summary>Whether lanes go on when the silo of their run's coordinator ends, so that the run goes on by itself.</summary>
    bool OutlivesProcess { get; }

    /// <summary>Takes the name and the folder of a run to be.</summary>
    /// <returns>Null if another run has the name.</returns>
    Task<IDisposable?> ClaimAsync(RunKey run);

    /// <summary>
    /// Gives back the name of a run that was claimed and did not begin, and removes its files: while it is held, or, in a cluster, if
    /// there is no record of it.
    /// </summary>
    /// <returns>False if the name stays taken: this run has a record, or another one has the name by now.</returns>
    Task<bool> UnclaimAsync(RunKey run);

    /// <returns>Null if another process owns it.</returns>
    Task<IDisposable?> TryHoldAsync(RunFolder folder);
}

/// <summary>Nothing needs to be held: whoever coordinates a run is fenced by its record's version.</summary>
internal sealed class Nothing : IDisposable
{
    public static Nothing Held { get; } = new();

    public void Dispose()
    {
    }
}

/// <summary>A run belongs to the process that holds its folder's lock.</summary>
internal sealed class LockedFolders(EnsembleTrainingOptions options) : IRunOwnership
{
    public bool OutlivesProcess => false;

    public Task<IDisposable?> ClaimAsync(RunKey run) => Task.Run<IDisposable?>(async () => await RunLock.CreateAsync(new RunFolder(options.RunsFolder, run.Name)));

    public Task<bool> UnclaimAsync(RunKey run) => Task.Run(() => new FolderStorage(options.RunsFolder).RemoveAsync(run.Name, () => Task.FromResult(true)));

    public Task<IDisposable?> TryHoldAsync(RunFolder folder) => Task.Run<IDisposable?>(async () => await RunLock.TryAcquireAsync(folder));
}

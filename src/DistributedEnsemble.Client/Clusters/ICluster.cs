using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>A running cluster, as far as the driver needs one. Disposing it ends what was started for it.</summary>
internal interface ICluster : IAsyncDisposable
{
    IGrainFactory Grains { get; }

    /// <summary>Those of the silo in this process; null without one.</summary>
    LocalAggregators? Aggregators => null;

    /// <summary>Where the silo in this process has the files of its runs.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    RunStorage Storage => throw new NotSupportedException("The silos of a cluster have the files of its runs.");

    IScheduler Scheduler => Grains.GetGrain<IScheduler>(IScheduler.Key);

    /// <summary>Asks, and waits for the answer as long as every silo that this process is connected to is there.</summary>
    /// <exception cref="TimeoutException">One went, perhaps the one that was asked: Orleans would wait out the call's time limit.</exception>
    Task<T> AskAsync<T>(Func<Task<T>> ask) => ask();

    /// <summary>Whether runs go on when this process ends.</summary>
    bool OutlivesProcess { get; }
}

/// <summary>Where runs are, and what an embedded silo is started with.</summary>
/// <param name="RunsFolder">The folder of all runs.</param>
/// <param name="DataFolder">Where datasets are looked for first; null is only the usual places.</param>
/// <param name="Lanes">Members trained at once; null is one per core.</param>
internal sealed record EmbeddedOptions(string RunsFolder, string? DataFolder, int? Lanes)
{
    /// <summary>The cluster that has the runs; null is this process.</summary>
    public RedisAddress? Cluster { get; init; }

    /// <summary>The objects that have the files of this process's runs; null keeps them in the folder.</summary>
    public ObjectStoreAddress? Store { get; init; }

    public LanePriority LanePriority { get; init; } = LanePriority.Low;

    /// <summary>Whether this process serves HTTP.</summary>
    public bool IsServed { get; init; }

    /// <summary>How long a store, or the folder, may say nothing until whoever typed the command is told.</summary>
    public TimeSpan Patience { get; init; } = new TimingOptions().StoreAnswer;

    /// <summary>Where the runs are, for people.</summary>
    public string Place => Cluster?.ToString() ?? Store?.ToString() ?? RunsFolder;

    /// <summary>Where this process writes what it makes of a run for people.</summary>
    public RunFolder OutputOf(string run) => new(RunsFolder, run);

    /// <summary>Opens what has the runs' files, after it was looked whether it can be used.</summary>
    /// <exception cref="StorageAwayException">It says nothing.</exception>
    public async Task<RunStorage> OpenStorageAsync(StoreUse use)
    {
        if (Store is null)
        {
            var folder = new FolderStorage(RunsFolder);
            await FirstLook.AtAsync(() => CanBeListed(folder), folder.Place, Patience);
            return folder;
        }

        var objects = new ObjectStorage(Store, Path.Combine(RunsFolder, ".scratch")) { Patience = Patience };
        try
        {
            await objects.CheckAsync(use);
        }
        catch
        {
            objects.Dispose();
            throw;
        }

        // Runs wait for a store that stands still for a while; whoever reads is told.
        if (use != StoreUse.Read) objects.Patience = null;
        return objects;
    }

    /// <summary>What is wrong with a folder that answers, whoever reads or writes there says.</summary>
    private static bool CanBeListed(FolderStorage folder)
    {
        try
        {
            return folder.Folders().Count >= 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

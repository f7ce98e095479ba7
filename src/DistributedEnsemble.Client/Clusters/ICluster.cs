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

    /// <summary>The store that the silo in this process writes to; null if there is none.</summary>
    ObjectStorage? Store => null;

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

    /// <summary>Where the runs are, for people.</summary>
    public string Place => Cluster?.ToString() ?? Store?.ToString() ?? RunsFolder;

    /// <summary>Where this process writes what it makes of a run for people.</summary>
    public RunFolder OutputOf(string run) => new(RunsFolder, run);

    /// <summary>Opens the store, after it was looked whether it can be used.</summary>
    /// <returns>Null if the runs are in the folder.</returns>
    public async Task<ObjectStorage?> OpenStoreAsync(StoreUse use)
    {
        if (Store is null) return null;
        var storage = new ObjectStorage(Store, Path.Combine(RunsFolder, ".scratch"));
        await storage.CheckAsync(use);
        return storage;
    }
}

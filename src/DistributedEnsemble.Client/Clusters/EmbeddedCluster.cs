using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>A silo inside this process.</summary>
internal sealed class EmbeddedCluster(EmbeddedSilo silo, RunStorage storage) : ICluster
{
    public IGrainFactory Grains => silo.Grains;

    public LocalAggregators? Aggregators => silo.Aggregators;

    public RunStorage Storage => storage;

    public bool OutlivesProcess => false;

    /// <summary>Where logs go: warnings to standard error, and everything when a trace is asked for.</summary>
    public static Action<ILoggingBuilder> Logs =>
        Environment.GetEnvironmentVariable(FailureTable.TraceVariable) == "1" ? LogToStandardError : logs => logs.AddProvider(new Warnings(Console.Error)).LeaveOutRequests();

    public static async Task<ICluster> StartAsync(EmbeddedOptions options, CancellationToken cancellation)
    {
        var offer = ServingConfiguration.OfEnvironment().ReadTraining();
        var storage = await options.OpenStorageAsync(StoreUse.WriteRecords).WaitAsync(cancellation);
        var silo = await EmbeddedSilo.StartAsync(
            training =>
            {
                (training.RunsFolder, training.Store) = (options.RunsFolder, storage as ObjectStorage);
                training.DataFolder = options.DataFolder;
                training.Lanes = options.Lanes ?? training.Lanes;
                training.LanePriority = options.LanePriority;
                // The user of this process names files; what comes over HTTP does not.
                training.ReadsPaths = true;
                offer(training);
            },
            Logs, options.IsServed, cancellation);
        return new EmbeddedCluster(silo, storage);
    }

    public async ValueTask DisposeAsync()
    {
        await silo.DisposeAsync();
        (storage as IDisposable)?.Dispose();
    }

    private static void LogToStandardError(ILoggingBuilder logs) =>
        logs.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Information);
}

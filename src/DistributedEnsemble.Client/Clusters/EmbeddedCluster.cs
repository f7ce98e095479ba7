using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Silo;
using Microsoft.Extensions.Logging;
using Orleans;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>A silo inside this process.</summary>
internal sealed class EmbeddedCluster(EmbeddedSilo silo) : ICluster
{
    public IGrainFactory Grains => silo.Grains;

    public static async Task<ICluster> StartAsync(EmbeddedOptions options, CancellationToken cancellation)
    {
        var silo = await EmbeddedSilo.StartAsync(
            training =>
            {
                training.RunsFolder = options.RunsFolder;
                training.DataFolder = options.DataFolder;
                training.Lanes = options.Lanes ?? training.Lanes;
            },
            Environment.GetEnvironmentVariable(FailureTable.TraceVariable) == "1" ? LogToStandardError : null, cancellation);
        return new EmbeddedCluster(silo);
    }

    public ValueTask DisposeAsync() => silo.DisposeAsync();

    private static void LogToStandardError(ILoggingBuilder logs) =>
        logs.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Information);
}

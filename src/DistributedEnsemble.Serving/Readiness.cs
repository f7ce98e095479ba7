using DistributedEnsemble.Messages;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving;

/// <summary>Whether the cluster answers, and its store, for probes over HTTP and gRPC.</summary>
internal sealed partial class Readiness(IGrainFactory grains, RunStorage storage, ILogger<Readiness> log)
{
    private string? _logged;

    /// <returns>Why the silo is not ready, for strangers, whom addresses do not concern; null if it is.</returns>
    public async Task<string?> FailureAsync(CancellationToken cancellation)
    {
        await grains.GetGrain<IScheduler>(IScheduler.Key).ListAsync(cancellation).WaitAsync(cancellation);
        var refusal = storage.Refusal;
        if (Interlocked.Exchange(ref _logged, refusal) is var logged && logged != refusal) Log(logged, refusal);
        return refusal is null ? null : "The store of the runs has not done what it is asked for a minute: the log says what it answers.";
    }

    private void Log(string? before, string? refusal)
    {
        if (refusal is not null) NotReady(OneLine.Of(refusal));
        else if (before is not null) Ready(storage.Place);
    }

    [LoggerMessage(102, LogLevel.Warning, "Not ready: {Refusal}")]
    private partial void NotReady(string refusal);

    [LoggerMessage(103, LogLevel.Warning, "Ready again: {Store} does what it is asked.")]
    private partial void Ready(string store);
}

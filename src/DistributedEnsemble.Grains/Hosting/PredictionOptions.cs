using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Grains.Hosting;

/// <summary>How a silo answers predictions. Three of the settings have the names that Triton's dynamic batcher gave them.</summary>
public sealed class PredictionOptions
{
    /// <summary>Rows that are computed together (max_batch_size). A request with more is computed alone.</summary>
    [ConfigurationKeyName("max_batch_size")]
    public int MaxBatchSize { get; set; } = 128;

    /// <summary>
    /// How long a request waits for company while a thread is free (max_queue_delay_microseconds); whole milliseconds count.
    /// While every thread is busy requests gather anyway.
    /// </summary>
    [ConfigurationKeyName("max_queue_delay_microseconds")]
    public int MaxQueueDelayMicroseconds { get; set; }

    /// <summary>Requests of a run that wait (max_queue_size); the next one is refused.</summary>
    [ConfigurationKeyName("max_queue_size")]
    public int MaxQueueSize { get; set; } = 1024;

    /// <summary>Prediction threads of this silo, one torch thread each.</summary>
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>
    /// Bytes of weights that this silo keeps in memory. It answers alone for a run whose models fit; of any other run it asks each
    /// silo for the members that live there. By default a quarter at most of what the process may take.
    /// </summary>
    public long CacheBytes { get; set; } = ProcessMemory.Share(1L << 30, parts: 4);

    /// <summary>How long the other silos' members have to answer; then the average is made without them.</summary>
    public TimeSpan MemberTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How likely a row's label, or a tenth of its interval, may be another one than that of all members, for fewer of them to be asked;
    /// 0 asks all. It holds for requests that do not say, of runs whose validation rows can promise it.
    /// </summary>
    public double EarlyExit { get; set; }

    /// <summary>The share of the chosen members that must answer, above 0 and up to 1.</summary>
    public double Quorum { get; set; } = 0.5;
}

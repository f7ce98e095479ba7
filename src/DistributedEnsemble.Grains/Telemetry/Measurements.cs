using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace DistributedEnsemble.Grains.Telemetry;

/// <summary>What a process measures of its silos, for whoever listens; nothing is kept here.</summary>
internal static class Measurements
{
    /// <summary>Of the meter and of the source of traces.</summary>
    public const string Name = "DistributedEnsemble";

    private static readonly Meter s_meter = new(Name);

    internal static readonly KeyValuePair<string, object?> OfCoordinator = new("grain", "coordinator"), OfScheduler = new("grain", "scheduler");
    internal static readonly KeyValuePair<string, object?> ToRedis = new("store", "redis"), ToFiles = new("store", "files");

    /// <summary>From a client's request through the aggregator to the members.</summary>
    public static ActivitySource Traces { get; } = new(Name);

    internal static Histogram<double> QueueTime { get; } = Seconds("ensemble.prediction.queue.duration", "From the arrival of a request to its batch's start.");

    internal static Histogram<double> ComputeTime { get; } = Seconds("ensemble.prediction.compute.duration", "From a batch's start to its answer.");

    internal static Histogram<long> BatchRows { get; } = Whole("ensemble.prediction.batch.rows", "{row}", "Rows that were computed together.", 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096);

    internal static Histogram<long> MembersUsed { get; } = Whole("ensemble.prediction.members", "{member}", "Members that an answer is the average of.", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 50, 100, 1000);

    internal static Counter<long> MembersLeftOut { get; } = s_meter.CreateCounter<long>("ensemble.prediction.members.left_out", "{member}", "Members that did not answer in time.");

    internal static UpDownCounter<int> LanesBusy { get; } = s_meter.CreateUpDownCounter<int>("ensemble.lanes.busy", "{lane}", "Lanes that train.");

    internal static UpDownCounter<int> RunsUnfinished { get; } = s_meter.CreateUpDownCounter<int>(
        "ensemble.runs.unfinished", "{run}", "Runs that have not ended and are not paused: the silo of the scheduler counts them.");

    internal static Counter<long> Steps { get; } = s_meter.CreateCounter<long>("ensemble.training.steps", "{step}", "Optimizer steps.");

    internal static Counter<long> StoreFailures { get; } = s_meter.CreateCounter<long>("ensemble.store.failures", "{request}", "Writes of records, metric lines and statuses that the store refused, and what a store of objects was asked for and did not do.");

    internal static Histogram<double> SnapshotTime { get; } = Seconds("ensemble.snapshot.duration", "From a hand-over of weights to the record that names it.");

    internal static Histogram<double> CheckpointTime { get; } = Seconds("ensemble.checkpoint.duration", "From a checkpoint's copy to the record that names it.");

    internal static Histogram<double> EmaTime { get; } = Seconds("ensemble.ema.duration", "Folding a hand-over into a member's EMA model, its file included.");

    internal static Histogram<double> TurnTime { get; } = Seconds("ensemble.turn.duration", "What a coordinator or the scheduler decides of one event, and what it begins then.");

    internal static Histogram<double> TurnProcessorTime { get; } = Seconds("ensemble.turn.processor", "The same, of a processor.");

    internal static Counter<long> RecordBytes { get; } = s_meter.CreateCounter<long>("ensemble.record.bytes", "By", "Bytes written to the stores of records.");

    internal static T Timed<T>(this Histogram<double> seconds, Func<T> work)
    {
        var begun = Stopwatch.GetTimestamp();
        var result = work();
        seconds.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds);
        return result;
    }

    private static Histogram<double> Seconds(string name, string description) => s_meter.CreateHistogram(
        name, "s", description, advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
        });

    private static Histogram<long> Whole(string name, string unit, string description, params long[] boundaries) => s_meter.CreateHistogram(
        name, unit, description, advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = boundaries });
}

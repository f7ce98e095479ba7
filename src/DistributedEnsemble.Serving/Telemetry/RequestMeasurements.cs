using System.Diagnostics.Metrics;
using DistributedEnsemble.Grains.Telemetry;

namespace DistributedEnsemble.Serving.Telemetry;

/// <summary>How requests for predictions go, as their clients see it.</summary>
internal static class RequestMeasurements
{
    private static readonly Meter s_meter = new(Measurements.Name);

    /// <summary>By outcome: ok, or that of <see cref="HttpFailure"/>.</summary>
    public static Histogram<double> Duration { get; } = s_meter.CreateHistogram<double>(
        "ensemble.requests.duration", "s", "From a request's arrival to its answer, by outcome.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
        });
}

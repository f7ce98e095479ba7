using System.Diagnostics;

namespace DistributedEnsemble.Benchmarks.Serving;

/// <summary>What some seconds of requests gave; latencies in milliseconds.</summary>
internal sealed record Measurement(double RequestsPerSecond, double RowsPerSecond, double P50, double P99, int Errors)
{
    public static Measurement Of(IEnumerable<long> ticks, double seconds, int rows, int errors)
    {
        double[] sorted = [.. ticks.Select(t => t * 1000.0 / Stopwatch.Frequency).Order()];
        double At(double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
        return new Measurement(sorted.Length / seconds, sorted.Length * rows / seconds, At(0.5), At(0.99), errors);
    }
}

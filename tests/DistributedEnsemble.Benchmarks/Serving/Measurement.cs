using System.Diagnostics;

namespace DistributedEnsemble.Benchmarks.Serving;

/// <summary>What some seconds of requests gave; latencies in milliseconds.</summary>
/// <param name="RowsPerCoreSecond">By the processor time of this process, clients included: what others do on the machine hardly counts.</param>
internal sealed record Measurement(double RequestsPerSecond, double RowsPerSecond, double RowsPerCoreSecond, double P50, double P99, int Errors)
{
    /// <param name="since">When it began, by the clock and in this process's processor time.</param>
    public static Measurement Of(IEnumerable<long> ticks, (long Clock, TimeSpan Processor) since, int rows, int errors)
    {
        var (seconds, coreSeconds) = (Stopwatch.GetElapsedTime(since.Clock).TotalSeconds, (Environment.CpuUsage.TotalTime - since.Processor).TotalSeconds);
        double[] sorted = [.. ticks.Select(t => t * 1000.0 / Stopwatch.Frequency).Order()];
        double At(double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
        return new Measurement(sorted.Length / seconds, sorted.Length * rows / seconds, sorted.Length * rows / coreSeconds, At(0.5), At(0.99), errors);
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Grains.Telemetry;

/// <summary>Measures what one event takes of a grain: by the clock, and of a processor, which other threads and pauses do not disturb.</summary>
internal readonly partial struct Turn
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID of Linux.</summary>
    private const int OfThisThread = 3;

    private readonly long _begun, _processor;

    private Turn(long begun, long processor) => (_begun, _processor) = (begun, processor);

    public static Turn Begin() => new(Stopwatch.GetTimestamp(), Measurements.TurnProcessorTime.Enabled ? ProcessorNanoseconds() : 0);

    /// <summary>On the thread that began it.</summary>
    public void End(KeyValuePair<string, object?> grain)
    {
        Measurements.TurnTime.Record(Stopwatch.GetElapsedTime(_begun).TotalSeconds, grain);
        if (_processor > 0) Measurements.TurnProcessorTime.Record((ProcessorNanoseconds() - _processor) / 1e9, grain);
    }

    /// <returns>0 where the system does not say.</returns>
    private static long ProcessorNanoseconds() =>
        OperatingSystem.IsLinux() && GetTime(OfThisThread, out var time) == 0 ? ((long)time.Seconds * 1_000_000_000) + time.Nanoseconds : 0;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    private readonly record struct Time(nint Seconds, nint Nanoseconds);
}

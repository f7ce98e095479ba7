using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Scheduling;

internal static partial class SchedulingLog
{
    [LoggerMessage(40, LogLevel.Warning, "The cluster did not take this silo's report; it is sent again in a moment.")]
    public static partial void NotAnnounced(this ILogger log, Exception exception);

    [LoggerMessage(41, LogLevel.Warning, "Members did not leave in time; other silos go on from their last checkpoints.")]
    public static partial void NotHandedOver(this ILogger log, Exception exception);

    [LoggerMessage(42, LogLevel.Warning, "Run {Run} does not answer; it is asked again and again, and the others go on.")]
    public static partial void RunSilent(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(46, LogLevel.Warning, "Run {Run}: silo {Silo} has no {What}, and gets none of its members.")]
    public static partial void Lacks(this ILogger log, RunKey run, string silo, string what);

    [LoggerMessage(43, LogLevel.Error, "Members could not be placed; it is tried again in a moment.")]
    public static partial void NotPlaced(this ILogger log, Exception exception);

    [LoggerMessage(44, LogLevel.Warning, "A silo's report makes no sense and is passed over, as others like it will be.")]
    public static partial void ReportMalformed(this ILogger log);

    [LoggerMessage(45, LogLevel.Warning, "The store does not say which runs go on; it is asked again in a moment.")]
    public static partial void NotListed(this ILogger log, Exception exception);
}

using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Coordination;

internal static partial class CoordinatorLog
{
    [LoggerMessage(20, LogLevel.Warning,
        "Run {Run}: member {Member} continues on {Machine}, the run began on {First}: it can no longer be repeated bit by bit.")]
    public static partial void MachineDiffers(this ILogger log, RunKey run, int member, string machine, string first);

    [LoggerMessage(29, LogLevel.Warning, "Run {Run} can not be repeated bit by bit: {Reason}.")]
    public static partial void Inexact(this ILogger log, RunKey run, string reason);

    [LoggerMessage(21, LogLevel.Warning, "Run {Run}: member {Member} could not be given to {Silo}; it waits again.")]
    public static partial void NotAssigned(this ILogger log, Exception exception, RunKey run, int member, string silo);

    [LoggerMessage(22, LogLevel.Warning, "Run {Run}: metric lines of member {Member} could not be written; they are in the record, and tried again.")]
    public static partial void MetricsNotWritten(this ILogger log, Exception exception, RunKey run, int member);

    [LoggerMessage(23, LogLevel.Warning, "Run {Run}: {Silo} is gone; member {Member} waits for another lane.")]
    public static partial void MemberLost(this ILogger log, RunKey run, int member, string? silo);

    [LoggerMessage(24, LogLevel.Warning, "Run {Run}: the record could not be written; its coordinator starts again from what the store has.")]
    public static partial void RecordNotWritten(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(25, LogLevel.Warning, "Run {Run}: its folder could not be told how it ended; the record knows.")]
    public static partial void EndNotTold(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(26, LogLevel.Warning, "Run {Run}: its run.json could not be written.")]
    public static partial void StatusNotWritten(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(27, LogLevel.Warning, "Run {Run}: member {Member} could not be told to stop.")]
    public static partial void NotStopped(this ILogger log, Exception exception, RunKey run, int member);

    [LoggerMessage(38, LogLevel.Warning, "Run {Run}: its store is away; what is to be written is tried again in {Pause}.")]
    public static partial void StorageAway(this ILogger log, Exception exception, RunKey run, TimeSpan pause);

    [LoggerMessage(28, LogLevel.Warning, "Run {Run}: files that its record does not name could not be removed.")]
    public static partial void UnnamedNotRemoved(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(36, LogLevel.Error, "Run {Run}: its coordinator cannot take {Event}, which is a defect; it goes on from what the store has.")]
    public static partial void Failed(this ILogger log, Exception exception, RunKey run, string @event);

    [LoggerMessage(37, LogLevel.Error, "Run {Run}: its coordinator failed in what it does, which is a defect; it goes on from what the store has.")]
    public static partial void EffectFailed(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(35, LogLevel.Warning, "Run {Run}: its timeline could not be written; nothing depends on it.")]
    public static partial void TimelineNotWritten(this ILogger log, Exception exception, RunKey run);
}

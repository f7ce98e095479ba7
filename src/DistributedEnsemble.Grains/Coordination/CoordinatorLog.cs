using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains;

internal static partial class CoordinatorLog
{
    [LoggerMessage(20, LogLevel.Warning,
        "Run {Run}: member {Member} goes on on {Machine}, the run began on {First}: it can no longer be repeated bit by bit.")]
    public static partial void MachineDiffers(this ILogger log, RunKey run, int member, string machine, string first);

    [LoggerMessage(21, LogLevel.Warning, "Run {Run}: member {Member} could not be given to {Silo}; it waits again.")]
    public static partial void NotAssigned(this ILogger log, Exception exception, RunKey run, int member, string silo);
}

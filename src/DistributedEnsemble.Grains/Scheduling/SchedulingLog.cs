using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains;

internal static partial class SchedulingLog
{
    [LoggerMessage(40, LogLevel.Warning, "The cluster did not take this silo's report; it is sent again in a moment.")]
    public static partial void NotAnnounced(this ILogger log, Exception exception);
}

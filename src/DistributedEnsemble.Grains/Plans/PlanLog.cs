using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Plans;

internal static partial class PlanLog
{
    [LoggerMessage(50, LogLevel.Warning, "{Reason}")]
    public static partial void StaysInMemory(this ILogger log, string reason);
}

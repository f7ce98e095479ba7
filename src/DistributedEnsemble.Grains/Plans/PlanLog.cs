using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Plans;

internal static partial class PlanLog
{
    [LoggerMessage(50, LogLevel.Warning, "The inputs of {Table} do not lie in a file: {Reason}.")]
    public static partial void HasNoFile(this ILogger log, string table, string reason);
}

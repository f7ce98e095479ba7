using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains;

internal static partial class RedisLog
{
    [LoggerMessage(70, LogLevel.Warning, "Run {Run}: the record could not be copied into the run's folder; the next one will be.")]
    public static partial void NotCopied(this ILogger log, Exception exception, RunKey run);
}

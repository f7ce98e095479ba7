using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Stores.Redis;

internal static partial class RedisLog
{
    [LoggerMessage(70, LogLevel.Warning, "Run {Run}: the record could not be copied into the run's folder; the next one will be.")]
    public static partial void NotCopied(this ILogger log, Exception exception, RunKey run);

    [LoggerMessage(63, LogLevel.Warning, "Redis names {Entry} among the runs, which is none: it is passed over.")]
    public static partial void NoRun(this ILogger log, string entry);
}

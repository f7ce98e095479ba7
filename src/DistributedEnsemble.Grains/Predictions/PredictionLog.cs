using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Predictions;

internal static partial class PredictionLog
{
    [LoggerMessage(60, LogLevel.Error, "Run {Run} is answered without member {Member}: {File} cannot be read.")]
    public static partial void ConstituentUnreadable(this ILogger log, Exception exception, RunKey run, int member, string file);

    [LoggerMessage(61, LogLevel.Warning, "Run {Run} is answered without members {Members}: their silo did not answer.")]
    public static partial void MembersLeftOut(this ILogger log, Exception exception, RunKey run, string members);

    [LoggerMessage(62, LogLevel.Warning, "The coordinator of run {Run} does not answer; what it said before is served.")]
    public static partial void StatusNotRefreshed(this ILogger log, Exception exception, RunKey run);
}

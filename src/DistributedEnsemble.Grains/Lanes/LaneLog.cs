using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Lanes;

internal static partial class LaneLog
{
    [LoggerMessage(1, LogLevel.Error, "Run {Run}: member {Member} broke unexpectedly.")]
    public static partial void MemberBroke(this ILogger log, Exception exception, RunKey run, int member);

    [LoggerMessage(2, LogLevel.Information, "Run {Run}: attempt {Attempt} at member {Member} was superseded; its lane stops.")]
    public static partial void Superseded(this ILogger log, RunKey run, int member, int attempt);

    [LoggerMessage(3, LogLevel.Warning, "Run {Run}: a checkpoint of member {Member} is passed over: {Reason}")]
    public static partial void CheckpointDamaged(this ILogger log, RunKey run, int member, string reason);

    [LoggerMessage(4, LogLevel.Error, "Run {Run}: results of member {Member} could not be stored; the run pauses.")]
    public static partial void StoreFailed(this ILogger log, Exception exception, RunKey run, int member);

    [LoggerMessage(5, LogLevel.Warning, "Run {Run}: the coordinator or the store does not answer member {Member}; next try in {Pause}.")]
    public static partial void CoordinatorAway(this ILogger log, Exception exception, RunKey run, int member, TimeSpan pause);

    [LoggerMessage(6, LogLevel.Error, "Run {Run}: the lane of member {Member} broke; the lane goes on with the next member.")]
    public static partial void LaneBroke(this ILogger log, Exception exception, RunKey run, int member);
}

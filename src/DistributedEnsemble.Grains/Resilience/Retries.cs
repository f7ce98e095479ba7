using Polly;
using Polly.Retry;

namespace DistributedEnsemble.Grains.Resilience;

/// <summary>
/// How calls that fail for a while are tried again: after pauses that double up to a longest one, each of another length, so that
/// those who failed together do not come back together.
/// </summary>
internal static class Retries
{
    /// <param name="most">Tries after the first one.</param>
    public static ResiliencePipeline Of<TException>(TimeProvider time, int most, TimeSpan first, TimeSpan longest) where TException : Exception =>
        Of(time, most, first, longest, exception => exception is TException);

    /// <param name="isPassing">Whether it may be over the next time.</param>
    /// <param name="onRetry">Is told of each failure, and the pause after it.</param>
    public static ResiliencePipeline Of(
        TimeProvider time, int most, TimeSpan first, TimeSpan longest, Func<Exception, bool> isPassing, Action<Exception, TimeSpan>? onRetry = null) =>
        new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = most, Delay = first, MaxDelay = longest, BackoffType = DelayBackoffType.Exponential, UseJitter = true,
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } exception && isPassing(exception)),
            OnRetry = arguments =>
            {
                onRetry?.Invoke(arguments.Outcome.Exception!, arguments.RetryDelay);
                return default;
            },
        }).Build();
}

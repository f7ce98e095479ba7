using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Trackers;

/// <summary>Somebody else's tool that is told how a run goes. What it cannot be told stops no training.</summary>
internal interface IRunTracker : IAsyncDisposable
{
    /// <summary>What has come since the last time; now and then while it trains.</summary>
    Task FollowAsync(RunStatus status);

    /// <summary>How it ended.</summary>
    /// <param name="evaluation">Null if it was not measured.</param>
    Task EndAsync(RunStatus status, EvaluationReport? evaluation);
}

using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.TensorBoard;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Trackers;

/// <summary>Writes TensorBoard's event files while a run trains.</summary>
internal sealed class TensorBoardTracker(TensorBoardLogs logs) : IRunTracker
{
    public Task FollowAsync(RunStatus status)
    {
        logs.Follow(status);
        return Task.CompletedTask;
    }

    public Task EndAsync(RunStatus status, EvaluationReport? evaluation)
    {
        logs.Follow(status);
        if (evaluation is not null) logs.Add("ensemble", status, evaluation);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        logs.Dispose();
        return ValueTask.CompletedTask;
    }
}

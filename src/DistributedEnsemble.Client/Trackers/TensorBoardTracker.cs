using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.TensorBoard;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Trackers;

/// <summary>Writes TensorBoard's event files while a run trains.</summary>
/// <param name="evaluateEma">Measures the run's EMA models on the test split.</param>
internal sealed class TensorBoardTracker(TensorBoardLogs logs, Func<Task<EvaluationReport>> evaluateEma) : IRunTracker
{
    public Task FollowAsync(RunStatus status)
    {
        logs.Follow(status);
        return Task.CompletedTask;
    }

    public async Task EndAsync(RunStatus status, EvaluationReport? evaluation)
    {
        logs.Follow(status);
        if (evaluation is null) return;
        logs.Add("ensemble", status, evaluation);
        if (!status.Ema.IsEmpty) logs.Add("ema", status, await evaluateEma());
    }

    public ValueTask DisposeAsync()
    {
        logs.Dispose();
        return ValueTask.CompletedTask;
    }
}

using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Runs;

/// <summary>Asks a run how it is, several times a second, until it has ended or is paused.</summary>
internal sealed class RunFollower(Func<Task<RunStatus>> ask, Interruption interruption, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200), BetweenScores = TimeSpan.FromSeconds(3);

    private Task<EnsembleScores?>? _scoring;
    private EnsembleScores? _scores;
    private long _scored;

    /// <summary>Measures the ensemble on the validation split; null if nobody wants to know.</summary>
    public Func<Task<EnsembleScores?>>? Score { get; init; }

    /// <param name="stop">
    /// What the first interruption does: it stops the run, whose lanes then take their checkpoints, and frames go on until it
    /// is paused. Null leaves the run alone, and an interruption ends the frames.
    /// </param>
    public async IAsyncEnumerable<ProgressFrame> FollowAsync(Func<Task>? stop)
    {
        var stopping = false;
        while (true)
        {
            if (interruption.IsAsked && !stopping && stop is not null)
            {
                stopping = true;
                await stop();
            }
            var status = await ask();
            Measure(status);
            yield return new ProgressFrame(status, stopping, _scores);
            if (status.IsAtRest || (interruption.IsAsked && stop is null)) yield break;
            await WaitAsync(stopping);
        }
    }

    /// <summary>Beside the frames, which do not wait for it. What cannot be measured is not shown.</summary>
    private void Measure(RunStatus status)
    {
        if (Score is null) return;
        if (_scoring is { IsCompleted: true } done)
        {
            if (done.IsCompletedSuccessfully && done.Result is { } scores) _scores = scores;
            _ = done.Exception;
            _scoring = null;
        }

        if (_scoring is not null || status.Snapshots.IsEmpty || (_scored != 0 && time.GetElapsedTime(_scored) < BetweenScores)) return;
        (_scoring, _scored) = (Score(), time.GetTimestamp());
    }

    private async Task WaitAsync(bool stopping)
    {
        try
        {
            await Task.Delay(Interval, time, stopping ? CancellationToken.None : interruption.Token);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop: at once, not at the end of the interval.
        }
    }
}

using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Silo;

namespace DistributedEnsemble.Client.Runs;

/// <summary>Asks a run how it is, several times a second, until it has ended or is paused.</summary>
internal sealed class RunFollower(Func<Task<RunStatus>> ask, Interruption interruption, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

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
            yield return new ProgressFrame(status, stopping);
            if (status.HasEnded || status.State == RunState.Paused || (interruption.IsAsked && stop is null)) yield break;
            await WaitAsync(stopping);
        }
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

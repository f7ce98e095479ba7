using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Signals;

namespace DistributedEnsemble.Client.Runs;

/// <summary>Asks a run how it is, several times a second, until it has ended or is paused.</summary>
internal sealed class RunFollower(ICoordinator coordinator, Interruption interruption, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>The first interruption stops the run, whose lanes then take their checkpoints: frames go on until it is paused.</summary>
    public async IAsyncEnumerable<ProgressFrame> FollowAsync()
    {
        var stopping = false;
        while (true)
        {
            if (interruption.IsAsked && !stopping)
            {
                stopping = true;
                await coordinator.StopAsync();
            }
            var status = await coordinator.GetStatusAsync();
            yield return new ProgressFrame(status, stopping);
            if (status.HasEnded || status.State == RunState.Paused) yield break;
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

namespace DistributedEnsemble.Runs;

/// <summary>What a caller does with a run beyond one call.</summary>
public static class CoordinatorExtensions
{
    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until the run has ended, or is paused.</summary>
    /// <returns>How it is then.</returns>
    /// <exception cref="OperationCanceledException">The caller waits no longer; the run goes on.</exception>
    public static async Task<RunStatus> WhenAtRestAsync(this ICoordinator run, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var status = await run.GetStatusAsync().WaitAsync(cancellationToken);
            if (status.IsAtRest) return status;
            await Task.Delay(s_betweenLooks, cancellationToken);
        }
    }
}

namespace DistributedEnsemble.Client.Signals;

/// <summary>The last second of a command that was interrupted: what is as good as done is done, and silos hear that nobody waits any more.</summary>
internal static class Farewell
{
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(1);

    /// <summary>Waits for what was asked, and when it is given up for some time more, in which it can still end by itself.</summary>
    /// <param name="left">Called where it does not.</param>
    /// <exception cref="OperationCanceledException">It was given up; what was asked may go on.</exception>
    public static async Task<T> WaitAsync<T>(Task<T> asked, CancellationToken cancellation, TimeSpan? most = null, Action? left = null)
    {
        try
        {
            return await asked.WaitAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await Task.WhenAny(asked, Task.Delay(most ?? Time, CancellationToken.None));
            if (asked.IsCompleted) return await asked;
            asked.Ignore();
            left?.Invoke();
            throw;
        }
    }
}

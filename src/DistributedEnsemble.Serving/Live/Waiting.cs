namespace DistributedEnsemble.Serving.Live;

internal static class Waiting
{
    /// <summary>Until one of the tasks has ended, however it did, or the time has passed.</summary>
    public static async Task AnyAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation, params IEnumerable<Task> tasks)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny([Task.Delay(atMost > TimeSpan.Zero ? atMost : TimeSpan.Zero, time, ended.Token), .. tasks]);
        await ended.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    public static TaskCompletionSource NotYet() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static TaskCompletionSource<T> NotYet<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

namespace DistributedEnsemble.Grains;

/// <summary>
/// One write in flight: who asks during it waits for the next, which serves all of them. For one grain's turns only.
/// </summary>
internal sealed class CoalescedWriter(Func<Task> writeAsync)
{
    private Task _current = Task.CompletedTask;
    private Task? _next;

    /// <summary>Completes when all changes made before the call are written.</summary>
    public Task WriteAsync() => _next ??= WriteNextAsync();

    private async Task WriteNextAsync()
    {
        await _current.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _current = _next ?? Task.CompletedTask;
        _next = null;
        await writeAsync();
    }
}

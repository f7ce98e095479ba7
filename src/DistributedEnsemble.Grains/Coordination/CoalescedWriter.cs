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
        // Never in the turn that asked: _next must be this task before the write begins, and no longer once it has begun.
        await Task.Yield();
        (_current, _next) = (_next!, null);
        await writeAsync();
    }
}

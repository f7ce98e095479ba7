using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>Waits for the next change of an index of runs.</summary>
internal sealed class IndexChanges : IDisposable
{
    private readonly RunIndex _runs;
    private volatile TaskCompletionSource _next = Waiting.NotYet();

    public IndexChanges(RunIndex runs)
    {
        _runs = runs;
        runs.Changed += OnChanged;
    }

    /// <summary>Ends with the first change since what was before is forgotten.</summary>
    public Task Next => _next.Task;

    public void Forget() => _next = Waiting.NotYet();

    public void Dispose() => _runs.Changed -= OnChanged;

    private void OnChanged(string name) => _next.TrySetResult();
}

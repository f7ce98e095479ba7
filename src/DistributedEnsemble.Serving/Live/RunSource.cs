using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>
/// A run's coordinator, which says when the run has changed; and its folder, which does for a run that another process works on, or
/// nobody.
/// </summary>
internal sealed class RunSource : IRunSource, IRunObserver
{
    /// <summary>A coordinator that went on elsewhere does not know who watches.</summary>
    private static readonly TimeSpan s_betweenWatches = TimeSpan.FromSeconds(4);

    private readonly string _name;
    private readonly LiveRuns _live;
    private readonly RunIndex _runs;
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly IRunObserver _self;
    private ICoordinator? _coordinator;
    private long _watched;
    private volatile TaskCompletionSource _changed = Waiting.NotYet();

    public RunSource(string name, LiveRuns live, RunIndex runs, IGrainFactory grains, TimeProvider time)
    {
        (_name, _live, _runs, _grains, _time) = (name, live, runs, grains, time);
        _self = grains.CreateObjectReference<IRunObserver>(this);
        runs.Changed += OnIndexed;
    }

    public Task Changed => _changed.Task;

    /// <inheritdoc/>
    void IRunObserver.Changed() => _changed.TrySetResult();

    public async Task<RunStatus?> AskAsync(CancellationToken cancellation)
    {
        // What changes while it is asked is news, too.
        _changed = Waiting.NotYet();
        if (_coordinator is null || _time.GetElapsedTime(_watched) > s_betweenWatches)
        {
            _coordinator = await _live.CoordinatorAsync(_name, cancellation);
            if (_coordinator is not null) await _coordinator.WatchAsync(_self).WaitAsync(cancellation);
            _watched = _time.GetTimestamp();
        }

        if (_coordinator is null) return await _live.InactiveAsync(_name, cancellation);
        var status = await _coordinator.GetStatusAsync().WaitAsync(cancellation);
        // A cluster works on it no longer: who goes on with it, and where, is asked again.
        if (status.IsAtRest) _coordinator = null;
        return status;
    }

    public ValueTask DisposeAsync()
    {
        _runs.Changed -= OnIndexed;
        // Where that does not arrive, the coordinator forgets it after a while.
        _coordinator?.UnwatchAsync(_self).Ignore();
        _grains.DeleteObjectReference<IRunObserver>(_self);
        return ValueTask.CompletedTask;
    }

    private void OnIndexed(string name)
    {
        if (name == _name) _changed.TrySetResult();
    }
}

using System.Runtime.ExceptionServices;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>The runs that somebody watches here, each followed once.</summary>
internal sealed class RunFeeds(LiveRuns live, RunIndex runs, IGrainFactory grains, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (RunFeed Feed, int Watchers)> _feeds = [];

    /// <summary>To be disposed by whoever watches.</summary>
    public RunWatch Watch(string name)
    {
        lock (_lock)
        {
            var (feed, watchers) = _feeds.GetValueOrDefault(name);
            if (feed is null or { HasFailed: true }) (feed, watchers) = (new RunFeed(new RunSource(name, live, runs, grains, time), time), 0);
            _feeds[name] = (feed, watchers + 1);
            return new RunWatch(feed, () => Leave(name, feed));
        }
    }

    private void Leave(string name, RunFeed left)
    {
        lock (_lock)
        {
            var (feed, watchers) = _feeds.GetValueOrDefault(name);
            // One that failed was replaced.
            if (feed != left) return;
            if (watchers > 1)
            {
                _feeds[name] = (feed, watchers - 1);
                return;
            }

            _feeds.Remove(name);
        }

        left.End();
    }
}

/// <summary>One who watches a run.</summary>
internal sealed class RunWatch(RunFeed feed, Action leave) : IDisposable
{
    private RunFeed.Moment? _seen;

    /// <summary>Ends when the run is another than it was seen.</summary>
    public Task Changed => _seen?.Passed ?? Task.CompletedTask;

    /// <summary>As it was seen, as JSON.</summary>
    public string Json => _seen!.Json;

    /// <returns>The run as it is now; null if there is none any more.</returns>
    public async Task<RunStatus?> SeeAsync(CancellationToken cancellation)
    {
        _seen = await feed.NowAsync().WaitAsync(cancellation);
        if (_seen.Error is { } error) ExceptionDispatchInfo.Throw(error);
        return _seen.Status;
    }

    public void Dispose() => leave();
}

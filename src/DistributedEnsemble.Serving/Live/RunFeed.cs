using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>One run as it changes, asked once for all who watch it here.</summary>
internal sealed class RunFeed
{
    /// <summary>However often a run changes, it is asked no more often.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(500);

    /// <summary>A word of the source can be lost: then it takes so long until the change is seen.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly IRunSource _source;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource<Moment> _first = Waiting.NotYet<Moment>();
    private volatile Moment? _now;

    public RunFeed(IRunSource source, TimeProvider time)
    {
        (_source, _time) = (source, time);
        _ = Task.Run(FollowAsync);
    }

    /// <summary>How the run is; waits for the first answer.</summary>
    /// <exception cref="Exception">The run cannot be asked.</exception>
    public Task<Moment> NowAsync() => _now is { } now ? Task.FromResult(now) : _first.Task;

    /// <summary>Whether the run could not be asked: nothing follows.</summary>
    public bool HasFailed => _now?.Error is not null;

    /// <summary>Nobody watches any more.</summary>
    public void End() => _end.Cancel();

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                Show(new Moment(await _source.AskAsync(_end.Token)));
                await Task.Delay(s_rest, _time, _end.Token);
                await Waiting.AnyAsync(s_patience - s_rest, _time, _end.Token, _source.Changed);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // Nobody watches.
        }
        catch (Exception exception)
        {
            // Those who watch are told, and begin again.
            Show(new Moment(null) { Error = exception });
        }
        finally
        {
            await _source.DisposeAsync();
        }
    }

    private void Show(Moment moment)
    {
        var last = _now;
        _now = moment;
        _first.TrySetResult(moment);
        last?.Pass();
    }

    /// <param name="Status">Null if there is no such run any more.</param>
    internal sealed record Moment(RunStatus? Status)
    {
        private readonly TaskCompletionSource _passed = Waiting.NotYet();

        private string? _json;

        /// <summary>The status as JSON: made once for all who watch.</summary>
        public string Json => _json ??= RunStatusJson.ToJson(Status!);

        /// <summary>Why the run could not be asked; nothing follows then.</summary>
        public Exception? Error { get; init; }

        /// <summary>Ends when there is a later moment.</summary>
        public Task Passed => _passed.Task;

        public void Pass() => _passed.TrySetResult();
    }
}

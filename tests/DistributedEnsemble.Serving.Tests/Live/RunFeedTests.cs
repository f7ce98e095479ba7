using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Live;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Serving.Tests.Live;

/// <summary>When a run that is watched is asked how it is.</summary>
public sealed class RunFeedTests
{
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(500), s_patience = TimeSpan.FromSeconds(5);

    private readonly CountedTime _time = new();
    private readonly Source _source = new();

    [Fact]
    public async Task A_run_is_asked_when_it_says_that_it_has_changed_and_not_before()
    {
        var feed = new RunFeed(_source, _time);
        var first = await feed.NowAsync();
        Assert.Equal(1, first.Status!.Steps);

        await _time.AdvanceAsync(s_rest, timers: 1);
        await _time.AdvanceAsync(s_patience - (2 * s_rest), timers: 2);
        Assert.Equal((1, false), (_source.Asked, first.Passed.IsCompleted));
        _source.Change();
        await first.Passed;

        Assert.Equal(2, (await feed.NowAsync()).Status!.Steps);
        feed.End();
        await _source.Left;
    }

    [Fact]
    public async Task A_run_that_changes_all_the_time_is_asked_twice_a_second()
    {
        var feed = new RunFeed(_source, _time);
        for (var second = 0; second < 2; second++)
        {
            for (var half = 1; half <= 2; half++)
            {
                var now = await feed.NowAsync();
                _source.Change();
                await _time.AdvanceAsync(s_rest, timers: 1 + (2 * ((2 * second) + half - 1)));
                await now.Passed;
            }

            Assert.Equal(1 + (2 * (second + 1)), _source.Asked);
        }

        feed.End();
    }

    [Fact]
    public async Task A_change_of_which_nothing_was_heard_is_seen_after_a_while()
    {
        var feed = new RunFeed(_source, _time);
        var first = await feed.NowAsync();

        await _time.AdvanceAsync(s_rest, timers: 1);
        await _time.AdvanceAsync(s_patience - s_rest, timers: 2);
        await first.Passed;

        Assert.Equal(2, _source.Asked);
        feed.End();
    }

    [Fact]
    public async Task Those_who_watch_a_run_that_cannot_be_asked_are_told()
    {
        var feed = new RunFeed(_source, _time);
        var first = await feed.NowAsync();
        _source.Fault = new TimeoutException("its silo is gone");
        _source.Change();

        await _time.AdvanceAsync(s_rest, timers: 1);
        await first.Passed;

        Assert.True(feed.HasFailed);
        Assert.Equal("its silo is gone", (await feed.NowAsync()).Error!.Message);
        await _source.Left;
    }

    /// <summary>A run that has done as many steps as it was asked.</summary>
    private sealed class Source : IRunSource
    {
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile int _asked;

        public int Asked => _asked;

        public Exception? Fault { get; set; }

        public Task Left => _left.Task;

        public Task Changed => _changed.Task;

        public void Change() => _changed.TrySetResult();

        public Task<RunStatus?> AskAsync(CancellationToken cancellation)
        {
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Fault is { } fault) throw fault;
            _asked++;
            return Task.FromResult<RunStatus?>(new RunStatus { Run = "r", Id = Guid.Empty, State = RunState.Running, Steps = _asked });
        }

        public ValueTask DisposeAsync()
        {
            _left.TrySetResult();
            return ValueTask.CompletedTask;
        }
    }
}

using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Serving.Tests.Live;

/// <summary>Time that goes on when a test says so, once somebody waits for it.</summary>
internal sealed class CountedTime : FakeTimeProvider
{
    private volatile int _timers;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Interlocked.Increment(ref _timers);
        return timer;
    }

    /// <param name="timers">How many have been set since the start, before it goes on.</param>
    public async Task AdvanceAsync(TimeSpan span, int timers)
    {
        while (_timers < timers) await Task.Delay(1, TestContext.Current.CancellationToken);
        Advance(span);
    }
}

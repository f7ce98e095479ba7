using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class PaceTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Time_is_told_by_what_members_cost_and_not_by_their_steps()
    {
        // A tenth of the work in a thousand quick steps, and nine tenths in a thousand slow ones, of which a hundred take 9 seconds.
        var pace = new Pace(_time);
        pace.Observe(Of(quick: 1000, slow: 0));
        _time.Advance(TimeSpan.FromSeconds(9));
        pace.Observe(Of(quick: 1000, slow: 100));

        Assert.Equal(TimeSpan.FromSeconds(81), pace.TimeLeft);
        Assert.Equal(100 / 9.0, pace.StepsPerSecond!.Value, 1e-9);
    }

    [Fact]
    public void Nothing_is_told_of_a_run_that_does_not_move()
    {
        var pace = new Pace(_time);
        pace.Observe(Of(quick: 10, slow: 0));
        _time.Advance(TimeSpan.FromSeconds(9));
        pace.Observe(Of(quick: 10, slow: 0));

        Assert.Null(pace.TimeLeft);
    }

    private static RunStatus Of(int quick, int slow) =>
        Statuses.Of(RunState.Running, Statuses.Training(0, quick) with { Cost = 0.1 }, Statuses.Training(1, slow) with { Cost = 0.9 });
}

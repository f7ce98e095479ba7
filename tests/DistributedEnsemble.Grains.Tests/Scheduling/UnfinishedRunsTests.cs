using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

/// <summary>How many runs the scheduler says are to be trained: an alert waits for their steps.</summary>
public sealed class UnfinishedRunsTests
{
    private static readonly RunKey s_run = new("r", Guid.NewGuid());

    private PlacementState _state = new() { Since = TimeSpan.Zero };

    [Fact]
    public void A_run_counts_from_its_submission_also_where_no_silo_trains_it_until_it_is_paused_or_ends()
    {
        Assert.Equal(0, _state.Unfinished);
        On(new RunAdded(s_run, 2));
        Assert.Equal(1, _state.Unfinished);
        Answer(RunState.Running);
        Assert.Equal(1, _state.Unfinished);
        On(new RunSilent(s_run));
        Assert.Equal(1, _state.Unfinished);
        Answer(RunState.Paused);
        Assert.Equal(0, _state.Unfinished);
        On(new RunAdded(s_run, 2));
        Assert.Equal(1, _state.Unfinished);
        Answer(RunState.Completed);
        Assert.Equal(0, _state.Unfinished);
    }

    private void Answer(RunState state)
    {
        On(new RunChanged(s_run));
        On(new RunAnswered(s_run, 1, "digits", [], null, new RunLoad(state, state == RunState.Running ? 2 : 0, [0, 0], [])));
    }

    private void On(PlacementEvent happened) => (_state, _) = PlacementMachine.On(_state, happened, TimeSpan.FromSeconds(1));
}

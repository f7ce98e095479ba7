using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Coordination;

/// <content>How members are waited for, counted and shown.</content>
public sealed partial class RunMachineTests
{
    private const string Line = "{\"step\":1,\"epoch\":1,\"learningRate\":0.1,\"loss\":0.25,\"l2\":0,\"accuracy\":0.5}\n";

    [Fact]
    public void The_member_that_has_most_left_to_do_is_assigned_first()
    {
        Begin([new MemberLoad(40, 5), new MemberLoad(20, 5)]);
        On(new AssignCalled(1, s_grant));
        Settle();
        Commit(2, new MemberAttempt(0, 1), 35);
        On(new ReleaseCalled(3, new MemberAttempt(0, 1)));
        Settle();

        On(new AssignCalled(4, s_grant));

        Assert.Equal([1, 1], _state.Record.Members.Select(member => member.Attempt));
    }

    [Fact]
    public void A_checkpoint_without_metric_lines_leaves_the_loss_as_it_was()
    {
        var by = Train();
        On(new CommitCalled(7, new Commit(by, 1, Checkpoint(1), Line, FinalStep: null)));
        Settle();
        On(new MetricsAppended(0, Line));
        Commit(8, by, 2);

        Assert.Equal(0.25f, _state.Record.Members[0].Loss);
    }

    [Fact]
    public void Seconds_count_from_the_first_member_on_a_lane_until_the_last_has_left()
    {
        Begin(members: 2);
        On(new AssignCalled(1, s_grant));
        Settle();
        _now += TimeSpan.FromSeconds(5);
        On(new AssignCalled(2, s_grant));
        Settle();
        Assert.Equal(5, _state.StatusAt(_now).TrainSeconds);
        _now += TimeSpan.FromSeconds(2);
        On(new CommitCalled(3, new Commit(new MemberAttempt(0, 1), 10, null, "", FinalStep: 10)));
        Settle();
        _now += TimeSpan.FromSeconds(1);
        On(new ReleaseCalled(4, new MemberAttempt(1, 1)));
        Settle();
        _now += TimeSpan.FromSeconds(50);

        Assert.Equal(8, _state.StatusAt(_now).TrainSeconds);
    }

    [Fact]
    public void Seconds_end_when_the_last_member_has_finished()
    {
        var by = Train();
        _now += TimeSpan.FromSeconds(5);
        On(new CommitCalled(3, new Commit(by, 10, null, Line, FinalStep: 10)));
        Settle();
        _now += TimeSpan.FromSeconds(50);

        Assert.Equal(5, _state.StatusAt(_now).TrainSeconds);
    }

    [Fact]
    public void Files_that_fail_again_after_one_was_written_are_tried_as_often_as_before()
    {
        var by = Train();
        for (var step = 1; step <= 30; step++)
        {
            var line = Line.Replace("\"step\":1,", $"\"step\":{step},", StringComparison.Ordinal);
            On(new CommitCalled(step, new Commit(by, step, Checkpoint(step), line, FinalStep: null)));
            Settle();
            On(new MetricsAppended(0, line, new OverflowException("nonsense")));
            Settle();
            On(new MetricsAppended(0, line));
            Settle();
        }

        Assert.Equal(RunState.Running, _state.Record.State);
    }

    [Fact]
    public void A_member_that_has_not_spoken_yet_has_time_to_and_is_given_away_when_that_has_passed()
    {
        Train();
        Look();
        Assert.Equal(MemberState.Training, _state.Record.Members[0].State);
        _now += _state.Timing.Patience + TimeSpan.FromSeconds(1);
        Look();

        Assert.Equal(MemberState.Waiting, _state.Record.Members[0].State);
    }

    [Fact]
    public void A_member_that_speaks_again_within_its_patience_is_not_missed()
    {
        var by = Train();
        for (var i = 0; i < 4; i++)
        {
            On(new ProgressReported([new MemberProgress(by, 0, i, null, 1)]));
            _now += 0.7 * _state.Timing.Patience;
            Look();
        }

        Assert.Equal(MemberState.Training, _state.Record.Members[0].State);
    }

    [Fact]
    public void A_run_json_that_is_long_is_written_again_after_as_long()
    {
        var by = Train();
        On(new ProgressReported([new MemberProgress(by, 0, 1, null, 1)]));
        Tick();
        Assert.Single(_effects.OfType<WriteStatus>());
        Then(new StatusWritten(Bytes: 40 << 20));
        On(new ProgressReported([new MemberProgress(by, 0, 2, null, 1)]));
        _now += TimeSpan.FromSeconds(9);
        Tick();
        Assert.Empty(_effects.OfType<WriteStatus>());
        _now += TimeSpan.FromSeconds(2);
        Tick();

        Assert.Single(_effects.OfType<WriteStatus>());
    }

    [Fact]
    public void A_run_that_has_ended_by_a_write_that_failed_is_shown_as_it_ended()
    {
        _state = _state with { LanesEndWithProcess = true };
        Collect(7, Train(), Snapshot(1), settles: false);
        var ended = _state.Record with { State = RunState.Completed };
        On(new RecordNotWritten(_state.Writing, new IOException("No space left on device")));
        On(new RecordRead(ended));

        Assert.Equal((RunState.Completed, null), (_state.Record.State, _state.Record.Reason));
    }

    [Fact]
    public void Whoever_starts_a_run_while_it_begins_is_answered_too()
    {
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(1, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
        On(new StartCalled(2, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
        On(new Claimed(_state.LastBeginning, IsOurs: true));
        Settle();

        Assert.Equal([1, 2], _effects.OfType<Reply>().Select(reply => reply.Call));
    }

    [Fact]
    public void An_assignment_that_a_fault_ended_is_answered_once()
    {
        _state = _state with { LanesEndWithProcess = true };
        Begin(members: 1);
        On(new AssignCalled(1, s_grant));
        Settle();
        On(new Faulted(null, new InvalidOperationException("nonsense")));
        Assert.Equal(1, Assert.Single(_effects.OfType<Refuse>()).Call);

        On(new MemberAnswered(1, new MemberAttempt(0, 1), IsTaken: true));

        Assert.Empty(_effects);
    }

    [Fact]
    public void A_lane_that_was_not_taken_is_told_when_the_store_has_it()
    {
        Begin(members: 1);
        On(new AssignCalled(1, s_grant));
        Settle();

        On(new MemberAnswered(1, new MemberAttempt(0, 1), IsTaken: false));
        Assert.Empty(_effects.OfType<Reply>());
        Settle();

        Assert.Single(_effects.OfType<Reply>());
    }

    [Fact]
    public void The_file_of_a_checkpoint_that_comes_again_under_another_name_goes()
    {
        var by = Train();
        Commit(7, by, 1);
        var again = Checkpoint(1) with { File = "members/00/checkpoints/again" };
        On(new CommitCalled(8, new Commit(by, 1, again, "", FinalStep: null)));
        Settle();

        Assert.Equal(new DeleteFile(again), Assert.Single(_effects.OfType<DeleteFile>()));
    }

    [Fact]
    public void A_snapshot_that_comes_again_is_recorded_once()
    {
        var by = Train();
        Collect(7, by, Snapshot(1));
        Collect(8, by, Snapshot(1));

        Assert.Equal([Snapshot(1)], _state.Record.Snapshots());
    }

    [Fact]
    public void The_scheduler_hears_of_no_member_that_leaves_a_run_that_pauses()
    {
        var by = Train();
        On(new StopCalled(7));
        Settle();
        On(new ReleaseCalled(8, by));
        Then(new RecordWritten(_state.Writing));

        Assert.Empty(_effects.OfType<TellScheduler>());
    }

    /// <summary>A look, which the store confirms.</summary>
    private void Look()
    {
        Tick();
        Settle();
    }

    /// <summary>The same, without what follows from what is shown.</summary>
    private void Tick()
    {
        On(new Ticked(IsStopRequested: false, []));
        foreach (var write in _effects.OfType<WriteRecord>().ToList()) Then(new RecordWritten(write.Version));
    }
}

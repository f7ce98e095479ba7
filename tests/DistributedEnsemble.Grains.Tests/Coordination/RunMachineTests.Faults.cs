using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Tests.Coordination;

/// <content>A decision each, of those that a history ends well without, or nearly always: docs/mutations.md has the faults.</content>
public sealed partial class RunMachineTests
{
    private static readonly MachineInfo s_otherMachine = new("other cpu", "avx512", "2.10");

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Only_the_attempt_of_the_record_is_heard(int attempt)
    {
        Train();
        Collect(7, new MemberAttempt(0, attempt), Snapshot(1));
        Assert.Equal(Acknowledgement.Superseded, AnswerTo(7));
        Assert.Empty(_state.Record.Snapshots());
    }

    [Fact]
    public void A_member_that_is_to_move_hears_it_with_its_next_answer()
    {
        var by = Train();
        Assert.Equal(Acknowledgement.Recorded, Commit(7, by, 1));
        On(new MoveCalled(8, by));
        Assert.Contains(new StopMember(by), _effects);
        Assert.Equal(Acknowledgement.Stop, Commit(9, by, 2));
    }

    [Fact]
    public void A_process_that_cannot_write_tries_no_second_time()
    {
        _state = _state with { LanesEndWithProcess = true };
        Collect(7, Train(), Snapshot(1), settles: false);
        On(new RecordNotWritten(_state.Writing, new IOException("No space left on device")));
        Assert.Empty(_effects.OfType<WriteRecord>());
    }

    [Fact]
    public void A_decision_that_fails_is_as_if_the_store_had_failed()
    {
        Collect(7, Train(), Snapshot(1), settles: false);
        var write = Assert.Single(_effects.OfType<WriteRecord>());
        On(new Faulted(new StopCalled(8), new InvalidOperationException("nonsense")));
        Assert.Equal([8, 7], _effects.OfType<Refuse>().Select(refuse => refuse.Call));
        Assert.All(_effects.OfType<Refuse>(), refuse => Assert.Equal("The coordinator of run \"run\" failed: nonsense", Assert.IsType<CoordinatorGoneException>(refuse.Error).Message));
        Assert.IsType<Deactivate>(_effects[^1]);
        On(new RecordWritten(write.Version));
        Assert.Empty(_effects);
    }

    [Fact]
    public void A_process_that_trains_its_run_alone_pauses_it_when_a_decision_fails_and_goes_on_from_the_store()
    {
        _state = _state with { LanesEndWithProcess = true };
        var by = Train();
        var stored = _state.Record;
        Collect(7, by, Snapshot(1), settles: false);
        var write = Assert.Single(_effects.OfType<WriteRecord>());
        On(new Faulted(new MetricsAppended(0, ""), new InvalidOperationException("nonsense")));
        Assert.Equal(7, Assert.Single(_effects.OfType<Refuse>()).Call);
        Assert.Single(_effects.OfType<ReleaseRun>());
        Assert.Single(_effects.OfType<ReadRecord>());
        // The write was on its way: it ends, and tells nobody.
        On(new RecordWritten(write.Version));
        Assert.Empty(_effects);
        On(new RecordRead(stored));
        Assert.Contains(new StopMember(by), _effects);
        Assert.Equal((RunState.Paused, "its coordinator failed: nonsense"), (_state.StatusAt(_now).State, _state.StatusAt(_now).Reason));
        On(new ResumeCalled(9));
        Assert.Single(_effects.OfType<TakeOver>());
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(11, true)]
    public void An_activation_that_does_not_train_its_run_looks_again_after_a_while(int seconds, bool leaves)
    {
        On(new Activated(new RunRecord { State = RunState.Paused, Members = MemberRecords.New(1) }, null, IsHeld: false));
        _now += TimeSpan.FromSeconds(seconds);
        On(new StatusAsked());
        Assert.Equal(leaves, _effects.OfType<Deactivate>().Any());
    }

    [Fact]
    public void An_activation_of_an_ended_run_looks_for_its_run_json_again_when_no_older_one_may_still_write_it()
    {
        On(new Activated(new RunRecord { State = RunState.Completed, Members = MemberRecords.New(1) }, null, IsHeld: false));
        var timing = _state.Timing;
        Assert.Equal(
            [new CheckEnd(RunState.Completed, TimeSpan.Zero), new CheckEnd(RunState.Completed, timing.Trust + timing.Fence)], _effects);
    }

    [Fact]
    public void Bits_of_another_machine_are_never_exact_again()
    {
        Begin(members: 3);
        foreach (var (call, machine) in new[] { (1, s_grant.Machine), (2, s_otherMachine), (3, s_grant.Machine) })
        {
            On(new AssignCalled(call, s_grant with { Machine = machine }));
            Assert.Equal(call == 2, _effects.OfType<SayMachineDiffers>().Any());
            Assert.Equal((call == 1, s_grant.Machine), (_state.Record.Exact, _state.Record.Machine));
            Settle();
        }
    }

    [Fact]
    public void No_lane_is_called_for_a_member_that_has_left_meanwhile()
    {
        Begin(members: 1);
        On(new AssignCalled(1, s_grant));
        var write = Assert.Single(_effects.OfType<WriteRecord>());
        Then(new Ticked(IsStopRequested: false, ["silo"]));
        Then(new RecordWritten(write.Version));
        Settle();
        Assert.Empty(_effects.OfType<CallMember>());
        Assert.Equal(MemberState.Waiting, _state.Record.Members[0].State);
    }

    [Fact]
    public void A_member_that_no_lane_takes_waits()
    {
        Begin(members: 1);
        On(new AssignCalled(1, s_grant));
        Settle();
        On(new MemberAnswered(1, new MemberAttempt(0, 1), IsTaken: false));
        Settle();
        Assert.Equal(MemberState.Waiting, _state.Record.Members[0].State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_member_whose_silo_died_before_it_answered_is_said_to_be_lost_and_one_that_was_refused_is_not(bool isSiloGone)
    {
        Begin(members: 1);
        On(new AssignCalled(1, s_grant));
        Settle();

        On(new MemberAnswered(1, new MemberAttempt(0, 1), IsTaken: false, isSiloGone));

        Assert.Equal(isSiloGone ? [new SayMemberLost(0, s_grant.Endpoint)] : [], _effects.OfType<SayMemberLost>());
        Settle();
        Assert.Equal(MemberState.Waiting, _state.Record.Members[0].State);
    }

    [Fact]
    public void A_run_that_pauses_stops_its_lanes_gives_none_away_and_is_paused_when_the_last_has_left()
    {
        Begin(members: 2);
        On(new AssignCalled(1, s_grant));
        Settle();
        var by = new MemberAttempt(0, 1);
        On(new MemberAnswered(1, by, IsTaken: true));
        On(new StopCalled(2));
        Settle();
        Assert.Contains(new StopMember(by), _effects);
        Assert.Equal(RunState.Running, _state.StatusAt(_now).State);
        On(new AssignCalled(3, s_grant));
        Assert.Equal(ImmutableArray<MemberAttempt>.Empty, AnswerTo(3));
        On(new ReleaseCalled(4, by));
        Settle();
        Assert.Equal(RunState.Paused, _state.StatusAt(_now).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Other_weights_at_a_step_end_the_run(bool isAveraged)
    {
        var by = Averaged();
        Collect(7, by, isAveraged ? HandOver(2) : Snapshot(1), isAveraged);
        Collect(8, by, (isAveraged ? HandOver(2) : Snapshot(1)) with { Sha256 = "other" }, isAveraged);
        Assert.Equal(Acknowledgement.Superseded, AnswerTo(8));
        Assert.Equal(RunState.Failed, _state.Record.State);
        Assert.StartsWith("not reproducible: member 0 came to step ", _state.Record.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_are_averaged_are_remembered_for_a_while_and_their_files_go()
    {
        var by = Averaged(steps: 200);
        for (var step = 2; step <= 200; step += 2)
        {
            Collect(step, by, HandOver(step), isAveraged: true);
            On(new Folded(HandOver(step), Model(step)));
            Settle();
            Assert.Contains(new DeleteFile(HandOver(step)), _effects);
            Assert.Equal(step > 2, _effects.Contains(new DeleteFile(Model(step - 2))));
            Assert.DoesNotContain(new DeleteFile(Model(step)), _effects);
        }

        Assert.InRange(_state.Record.Members[0].Folded.Length, 1, MemberRecord.FoldedRemembered);
        Collect(300, by, HandOver(200) with { Sha256 = "other" }, isAveraged: true);
        Assert.Equal(RunState.Failed, _state.Record.State);
    }

    [Fact]
    public void Two_checkpoints_are_kept_and_one_that_comes_again_counts_once()
    {
        var by = Train();
        foreach (var step in new[] { 1, 2, 3 })
        {
            Commit(step, by, step);
            Assert.Equal(step == 3, _effects.Contains(new DeleteFile(Checkpoint(1))));
        }

        Commit(4, by, 3);
        Assert.Equal([Checkpoint(3), Checkpoint(2)], _state.Record.Members[0].Checkpoints);
        Assert.Empty(_effects.OfType<DeleteFile>());
    }

    [Fact]
    public void Lines_are_written_when_the_store_has_them_and_a_run_ends_when_they_are_written()
    {
        var by = Train();
        const string Lines = "{\"step\":10,\"epoch\":1,\"learningRate\":0.1,\"loss\":1,\"l2\":0,\"accuracy\":0.5}\n";
        On(new CommitCalled(7, new Commit(by, 10, null, Lines, FinalStep: 10)));
        Assert.Empty(_effects.OfType<AppendMetrics>());
        Settle();
        Assert.Equal(new AppendMetrics(0, Lines.Length, Lines), Assert.Single(_effects.OfType<AppendMetrics>()));
        Assert.Equal(RunState.Running, _state.Record.State);
        On(new MetricsAppended(0, Lines, new IOException("slow disk")));
        Settle();
        Assert.Equal((RunState.Running, Lines), (_state.Record.State, _state.Record.Members[0].UnwrittenMetrics));
        On(new Ticked(IsStopRequested: false, []));
        Settle();
        On(new MetricsAppended(0, Lines));
        Assert.Empty(_effects.OfType<WriteStatus>());
        Settle();
        Assert.Equal((RunState.Completed, null), (_state.Record.State, _state.Record.Members[0].UnwrittenMetrics));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_run_whose_files_stay_broken_in_a_way_nobody_foresaw_pauses_and_says_why(bool isFold, bool lanesEndWithProcess)
    {
        var by = Averaged();
        _state = _state with { LanesEndWithProcess = lanesEndWithProcess };
        const string Lines = "{\"step\":1,\"epoch\":1,\"learningRate\":0.1,\"loss\":1,\"l2\":0,\"accuracy\":0.5}\n";
        On(new CommitCalled(7, new Commit(by, 1, Checkpoint(1), isFold ? "" : Lines, FinalStep: null)));
        Settle();
        var heard = new List<Exception>();
        do
        {
            var call = 8 + heard.Count;
            if (isFold) Collect(call, by, HandOver(2), isAveraged: true);
            else On(new CommitCalled(call, new Commit(by, 2, Checkpoint(2), "", FinalStep: null)));
            var error = new OverflowException("nonsense");
            On(isFold ? new Folded(HandOver(2), null, error) : new MetricsAppended(0, Lines, error));
            heard.Add(_effects.OfType<Refuse>().Single(refuse => refuse.Call == call).Error);
            Settle();
        }
        while (_state.Record.State == RunState.Running && heard.Count < 100);

        // What may pass is tried again, where lanes can wait for that.
        Assert.Equal(lanesEndWithProcess ? 1 : 10, heard.Count);
        Assert.All(heard.SkipLast(1), error => Assert.Equal("The coordinator of run \"run\" failed: nonsense", Assert.IsType<CoordinatorGoneException>(error).Message));
        var last = Assert.IsType<NotStoredException>(heard[^1]);
        Assert.EndsWith("its coordinator failed: nonsense", last.Message, StringComparison.Ordinal);
        On(new PauseCalled(200, by, last.Message));
        Settle();
        Assert.Equal((RunState.Paused, "its coordinator failed: nonsense"), (_state.StatusAt(_now).State, _state.StatusAt(_now).Reason));
    }

    [Fact]
    public void A_run_that_could_not_begin_because_of_a_defect_leaves_nothing()
    {
        _state = _state with { LanesEndWithProcess = true };
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(7, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
        On(new Claimed(_state.LastBeginning, IsOurs: true));
        On(new RecordNotWritten(_state.Writing, new OverflowException("nonsense")));
        Assert.Equal("Run \"run\" cannot be stored in /runs: its coordinator failed: nonsense", Assert.IsType<NotStoredException>(Assert.Single(_effects.OfType<Refuse>()).Error).Message);
        Assert.Single(_effects.OfType<Unclaim>());
        Assert.Empty(_effects.OfType<ReadRecord>());
    }

    [Fact]
    public void A_run_of_a_cluster_whose_first_write_fails_gives_back_its_name_before_anybody_hears_of_it()
    {
        foreach (var error in (Exception[])[new OverflowException("nonsense"), new RecordsAwayException("away"), new InconsistentStateException("another one was faster")])
        {
            _state = new CoordinatorState { Run = _state.Run, Place = _state.Place };
            On(new Activated(null, null, IsHeld: false));
            On(new StartCalled(7, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
            On(new Claimed(_state.LastBeginning, IsOurs: true));
            On(new RecordNotWritten(_state.Writing, error));

            Assert.Equal([typeof(Unclaim), typeof(Refuse), typeof(Deactivate)], _effects.Select(effect => effect.GetType()));
            Assert.Equal(
                error is OverflowException ? "Run \"run\" cannot be stored in /runs: its coordinator failed: nonsense" : error.Message, _effects.OfType<Refuse>().Single().Error.Message);
        }
    }

    [Fact]
    public void A_name_is_given_back_only_where_no_run_is_and_none_begins()
    {
        _state = new CoordinatorState { Run = _state.Run, Place = _state.Place };
        On(new Activated(null, null, IsHeld: false));
        On(new VacateCalled(3));
        Assert.Equal(3, _effects.OfType<Vacate>().Single().Call);
        On(new Vacated(3, IsFree: true));
        Assert.Equal(new Reply(3, true), Assert.Single(_effects));
        On(new VacateCalled(4));
        On(new Vacated(4, IsFree: false));
        Assert.Equal(new Reply(4, false), Assert.Single(_effects));

        _state = new CoordinatorState { Run = _state.Run, Place = _state.Place };
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(7, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
        IsKept(8);
        On(new Claimed(_state.LastBeginning, IsOurs: true));
        IsKept(9);
        On(new RecordWritten(_state.Writing));
        IsKept(10);

        void IsKept(int call)
        {
            On(new VacateCalled(call));
            Assert.Equal(new Reply(call, false), Assert.Single(_effects));
        }
    }

    [Theory]
    [InlineData(1, RunState.Failed, "every member failed: it diverged")]
    [InlineData(2, RunState.Degraded, "1 of 2 members failed: it diverged")]
    public void A_run_without_a_member_that_came_to_its_end_has_failed(int members, RunState state, string reason)
    {
        Begin(members);
        foreach (var index in Enumerable.Range(0, members))
        {
            On(new AssignCalled(index + 1, s_grant));
            Settle();
            On(new MemberAnswered(index + 1, new MemberAttempt(index, 1), IsTaken: true));
        }

        On(new FailCalled(8, new MemberFailure(new MemberAttempt(0, 1), 3, "it diverged")));
        Settle();
        if (members > 1) On(new CommitCalled(9, new Commit(new MemberAttempt(1, 1), 10, null, "", FinalStep: 10)));
        Settle();
        Assert.Equal((state, reason), (_state.Record.State, _state.Record.Reason));
        Assert.Contains(_effects, effect => effect is TellScheduler);
    }

    [Fact]
    public void A_member_that_leaves_its_lane_gets_another()
    {
        On(new ReleaseCalled(7, Train()));
        Settle();
        Assert.Contains(_effects, effect => effect is TellScheduler);
    }

    [Fact]
    public void An_end_is_told_although_run_json_stays_behind()
    {
        On(new CommitCalled(7, new Commit(Train(), 10, null, "", FinalStep: 10)));
        for (var tries = 0; _state.IsHeld && tries < 100; tries++)
        {
            var effects = _effects.ToList();
            On(new Ticked(IsStopRequested: false, []));
            foreach (var write in effects.OfType<WriteRecord>()) Then(new RecordWritten(write.Version));
            foreach (var _ in effects.OfType<WriteStatus>()) Then(new StatusWritten(new IOException("no disk")));
            _now += TimeSpan.FromSeconds(0.5);
        }

        Assert.False(_state.IsHeld);
    }

    [Fact]
    public void After_a_write_that_took_long_nothing_is_shown_before_another_one()
    {
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(1, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
        On(new Claimed(_state.LastBeginning, IsOurs: true));
        var write = Assert.Single(_effects.OfType<WriteRecord>());
        _now += TimeSpan.FromSeconds(5);
        On(new RecordWritten(write.Version));
        Assert.Empty(_effects.OfType<WriteStatus>());
        On(new RecordWritten(Assert.Single(_effects.OfType<WriteRecord>()).Version));
        Assert.Single(_effects.OfType<WriteStatus>());
    }

    [Fact]
    public void One_run_json_is_written_at_a_time()
    {
        Train();
        for (var step = 1; step <= 3; step++)
        {
            On(new ProgressReported([new MemberProgress(new MemberAttempt(0, 1), 0, step, null, 1)]));
            On(new Ticked(IsStopRequested: false, []));
            Assert.Equal(step == 1, _effects.OfType<WriteStatus>().Any());
        }
    }

    [Fact]
    public void A_run_that_is_taken_over_has_no_lanes()
    {
        Train();
        var record = _state.Record with { State = RunState.Paused };
        _state = new CoordinatorState { Run = _state.Run, Place = "/runs" };
        On(new Activated(record, null, IsHeld: false));
        On(new ResumeCalled(1));
        var take = Assert.Single(_effects.OfType<TakeOver>());
        On(new TakenOver(take.Number, IsHeld: true, record, null));
        Assert.Equal(MemberState.Waiting, _state.Record.Members[0].State);
    }

    [Fact]
    public void A_claim_that_comes_too_late_begins_nothing()
    {
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(1, new RunRequest("{}", "{}", [new MemberLoad(10, 5)]), null));
        On(new Claimed(_state.LastBeginning - 1, IsOurs: true));
        Assert.False(_state.IsHeld);
    }

    [Fact]
    public void A_run_that_has_ended_does_not_go_on_and_one_in_training_is_not_deleted()
    {
        var by = Train();
        On(new DeleteCalled(6));
        Assert.Equal("Run \"run\" is in training.", Assert.Single(_effects.OfType<Refuse>()).Error.Message);
        On(new CommitCalled(7, new Commit(by, 10, null, "", FinalStep: 10)));
        Settle();
        On(new ResumeCalled(8));
        Assert.Equal("Run \"run\" is completed: there is nothing to resume.", Assert.Single(_effects.OfType<Refuse>()).Error.Message);
    }

    private static WeightFile Snapshot(int step) => new(0, step, RunFolder.Snapshot(0, step), $"sha {step}");

    private static WeightFile HandOver(int step) => new(0, step, RunFolder.HandOver(0, step), $"sha {step}");

    private static WeightFile Model(int step) => new(0, step, RunFolder.Ema(0, step), $"ema {step}");

    private static WeightFile Checkpoint(int step) => new(0, step, $"members/00/checkpoints/{step}", $"sha {step}");

    private MemberAttempt Averaged(int steps = 10)
    {
        var by = Train();
        _state = _state with { Averaging = new RunAveraging(_ => new AveragingSchedule(new AveragingSpec { EverySteps = 2 }, steps, 1)) };
        return by;
    }

    private void Collect(long call, MemberAttempt by, WeightFile weights, bool isAveraged = false, bool settles = true)
    {
        On(new CollectCalled(call, new HandOver(by, weights, IsSnapshot: !isAveraged, IsAveraged: isAveraged)));
        if (settles) Settle();
    }

    private object? Commit(long call, MemberAttempt by, int step)
    {
        On(new CommitCalled(call, new Commit(by, step, Checkpoint(step), "", FinalStep: null)));
        Settle();
        return AnswerTo(call);
    }

    private object? AnswerTo(long call) => Assert.Single(_effects.OfType<Reply>(), reply => reply.Call == call).Answer;
}

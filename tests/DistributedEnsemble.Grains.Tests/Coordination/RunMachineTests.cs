using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Coordination;

/// <summary>What one event leads to; whole histories are simulated in DistributedEnsemble.Simulation.</summary>
public sealed partial class RunMachineTests
{
    private static readonly LaneGrant s_grant = new("silo", "127.0.0.1:1", new MachineInfo("cpu", "avx2", "2.10"));

    private readonly List<RunEffect> _effects = [];
    private CoordinatorState _state = new() { Run = RunKey.New("run"), Place = "/runs" };
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    [Fact]
    public void A_change_during_a_write_is_in_the_next_one()
    {
        Begin(members: 2);

        On(new AssignCalled(1, s_grant));
        var first = Assert.Single(_effects.OfType<WriteRecord>());
        On(new AssignCalled(2, s_grant));
        Assert.Empty(_effects);

        On(new RecordWritten(first.Version));
        var second = Assert.Single(_effects.OfType<WriteRecord>());
        Assert.Equal([1, 0], first.Record.Members.Select(member => member.Attempt));
        Assert.Equal([1, 1], second.Record.Members.Select(member => member.Attempt));
        Assert.Equal(1, Assert.Single(_effects.OfType<CallMember>()).Call);

        On(new RecordWritten(second.Version));
        Assert.Equal(2, Assert.Single(_effects.OfType<CallMember>()).Call);
    }

    [Fact]
    public void An_answer_comes_after_the_write_that_makes_it_true_and_not_if_that_fails()
    {
        var by = Train();
        var weights = new WeightFile(0, 1, "members/00/snapshots/step-00000001.safetensors", "ab");

        On(new CollectCalled(7, new HandOver(by, weights, IsSnapshot: true, IsAveraged: false)));
        Assert.IsType<WriteRecord>(Assert.Single(_effects));
        On(new RecordNotWritten(_state.Writing, new RecordsAwayException("Redis is away.")));

        Assert.Equal("Redis is away.", Assert.IsType<Refuse>(_effects[0]).Error.Message);
        Assert.IsType<Deactivate>(_effects[^1]);
        On(new CollectCalled(8, new HandOver(by, weights, IsSnapshot: true, IsAveraged: false)));
        Assert.Equal(8, Assert.IsType<Refuse>(Assert.Single(_effects)).Call);
    }

    [Fact]
    public void The_members_that_take_longest_are_assigned_first_and_each_has_its_own_steps()
    {
        Begin([new MemberLoad(10, 5), new MemberLoad(40, 5), new MemberLoad(20, 5, StepCost: 3)]);

        On(new AssignCalled(1, s_grant with { Members = 2 }));

        Assert.Equal([0, 1, 1], _state.Record.Members.Select(member => member.Attempt));
        Assert.Equal([10, 40, 20], _state.StatusAt(_now).Members.Select(member => member.StepsTotal));
        Assert.Equal(70, _state.StatusAt(_now).StepsTotal);
        Assert.Equal([10 / 110.0, 40 / 110.0, 60 / 110.0], _state.StatusAt(_now).Members.Select(member => member.Cost));
    }

    [Fact]
    public void The_best_model_of_a_member_that_stops_early_is_kept_and_not_averaged_again()
    {
        var by = Train();
        _state = _state with { Averaging = new RunAveraging(_ => new AveragingSchedule(new AveragingSpec { EverySteps = 2 }, 10, 1)) };
        var averaged = new WeightFile(0, 2, RunFolder.HandOver(0, 2), "ab");
        var best = averaged with { File = RunFolder.Snapshot(0, 2) };

        On(new CollectCalled(7, new HandOver(by, averaged, IsSnapshot: false, IsAveraged: true)));
        Settle();
        On(new Folded(averaged, new WeightFile(0, 2, RunFolder.Ema(0, 2), "cd")));
        Settle();
        On(new CollectCalled(8, new HandOver(by, best, IsSnapshot: true, IsAveraged: false)));
        Settle();
        Assert.DoesNotContain(_effects, effect => effect is Fold);
        On(new CommitCalled(9, new Commit(by, 6, null, "", FinalStep: 2)));
        Settle();

        Assert.Equal([best], _state.Record.Snapshots());
        var member = _state.StatusAt(_now).Members[0];
        Assert.Equal((MemberState.Completed, 6, 6, 2), (member.State, member.Step, member.StepsTotal, member.FinalStep));
        Assert.Equal((6, 6), (_state.StatusAt(_now).Steps, _state.StatusAt(_now).StepsTotal));
    }

    [Fact]
    public void A_process_whose_disk_is_full_pauses_its_run_as_it_is_on_the_disk()
    {
        _state = _state with { LanesEndWithProcess = true };
        var by = Train();
        var onDisk = _state.Record;

        On(new CommitCalled(7, new Commit(by, 3, new WeightFile(0, 3, "c", "ab"), "", FinalStep: null)));
        On(new RecordNotWritten(_state.Writing, new IOException("No space left on device")));
        Assert.Contains(_effects, effect => effect is Refuse { Call: 7 });
        Assert.Contains(_effects, effect => effect is ReleaseRun);
        On(new RecordRead(onDisk));

        Assert.Equal((RunState.Paused, "No space left on device"), (_state.Record.State, _state.Record.Reason));
        Assert.Equal((0, MemberState.Waiting), (_state.Record.Members[0].Step, _state.Record.Members[0].State));
        Assert.Contains(_effects, effect => effect is StopMember { Attempt.Member: 0 });
        Assert.False(_state.IsHeld);
    }

    [Fact]
    public void A_coordinator_that_slept_shows_nothing_before_the_store_has_confirmed_it()
    {
        Train();
        On(new ProgressReported([new MemberProgress(new MemberAttempt(0, 1), 0, 5, null, 1)]));
        _now += TimeSpan.FromSeconds(10);

        On(new Ticked(IsStopRequested: false, []));
        var fence = Assert.IsType<WriteRecord>(Assert.Single(_effects));
        On(new RecordWritten(fence.Version));
        Assert.Equal(5, Assert.Single(_effects.OfType<WriteStatus>()).Status.Steps);
    }

    [Fact]
    public void A_member_of_a_dead_silo_waits_and_the_scheduler_hears_of_it()
    {
        Train();

        On(new Ticked(IsStopRequested: false, ["silo"]));
        Settle();

        Assert.Equal(MemberState.Waiting, _state.Record.Members[0].State);
        Assert.Contains(_effects, effect => effect is TellScheduler);
    }

    [Fact]
    public void An_activation_that_knows_no_run_looks_again_when_it_is_asked()
    {
        On(new Activated(null, null, IsHeld: false));
        On(new ResumeCalled(1));

        Assert.Contains(_effects, effect => effect is Refuse { Error: RunRejectedException });
        Assert.Contains(_effects, effect => effect is Deactivate);
    }

    [Fact]
    public void A_run_that_cannot_be_repeated_says_so_when_it_begins()
    {
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(0, new RunRequest("{}", "{}", [new MemberLoad(10, 5)], "it draws"), null));
        On(new Claimed(_state.LastBeginning, IsOurs: true));

        Assert.Contains(new SayInexact("it draws"), _effects);
        Assert.False(_state.Record.Exact);
        Settle();
        Assert.False(_state.Record.Exact);
    }

    [Fact]
    public void Lanes_for_many_members_are_given_at_once_and_answered_when_the_last_is_known()
    {
        Begin(members: 5);

        On(new AssignCalled(1, s_grant with { Members = 3 }));
        var write = Assert.Single(_effects.OfType<WriteRecord>());
        On(new RecordWritten(write.Version));
        var calls = _effects.OfType<CallMember>().ToList();
        Assert.Equal([0, 1, 2], calls.Select(call => call.Attempt.Member));
        On(new MemberAnswered(1, calls[0].Attempt, IsTaken: true));
        On(new MemberAnswered(1, calls[2].Attempt, IsTaken: false));
        Settle();
        Assert.Empty(_effects.OfType<Reply>());
        On(new MemberAnswered(1, calls[1].Attempt, IsTaken: true));

        var taken = Assert.IsType<ImmutableArray<MemberAttempt>>(Assert.Single(_effects.OfType<Reply>()).Answer);
        Assert.Equal([0, 1], taken.Select(attempt => attempt.Member));
        Assert.Equal((3, 2), (_state.Record.Members.Waiting, _state.Record.Members.Training));
        Assert.Equal(2, _state.Record.Members.AllWaiting().First().Index);
    }

    /// <summary>One member in training, and all of it stored.</summary>
    private MemberAttempt Train()
    {
        Begin(members: 1);
        On(new AssignCalled(1, s_grant));
        Settle();
        var attempt = new MemberAttempt(0, 1);
        On(new MemberAnswered(1, attempt, IsTaken: true));
        Assert.Equal([attempt], Assert.IsType<ImmutableArray<MemberAttempt>>(Assert.IsType<Reply>(Assert.Single(_effects)).Answer));
        return attempt;
    }

    private void Begin(int members) => Begin([.. Enumerable.Repeat(new MemberLoad(10, 5), members)]);

    private void Begin(ImmutableArray<MemberLoad> loads)
    {
        On(new Activated(null, null, IsHeld: false));
        On(new StartCalled(0, new RunRequest("{}", "{}", loads), null));
        On(new Claimed(_state.LastBeginning, IsOurs: true));
        Settle();
        _effects.Clear();
    }

    /// <summary>All that is written succeeds.</summary>
    private void Settle()
    {
        var seen = new List<RunEffect>();
        do
        {
            var effects = _effects.ToImmutableArray();
            seen.AddRange(effects);
            _effects.Clear();
            foreach (var write in effects.OfType<WriteRecord>()) Then(new RecordWritten(write.Version));
            foreach (var _ in effects.OfType<WriteStatus>()) Then(new StatusWritten());
        }
        while (_effects.Count > 0);
        _effects.AddRange(seen);
    }

    private void On(RunEvent happened)
    {
        _effects.Clear();
        Then(happened);
    }

    private void Then(RunEvent happened)
    {
        (_state, var effects) = RunMachine.On(_state, happened, _now);
        _effects.AddRange(effects);
    }
}

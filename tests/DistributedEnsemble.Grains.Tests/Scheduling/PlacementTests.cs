using System.Collections.Immutable;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

public sealed partial class PlacementTests
{
    [Fact]
    public void Members_go_to_silos_that_have_their_data_and_to_no_others()
    {
        var run = Run("clothes", MemberState.Waiting, MemberState.Waiting);
        SiloReport[] silos = [Silo("1", datasets: ["digits"]), Silo("2", datasets: ["clothes", "digits"])];

        Assert.Equal("2", Next([run], silos)?.Silo.Silo);
        Assert.Null(Next([run], [silos[0]]));
        // A file is in the store, for every silo.
        Assert.Equal("1", Next([run with { Dataset = null }], [silos[0]])?.Silo.Silo);
    }

    [Theory]
    [InlineData("mine", "classification", "network \"mine\"")]
    [InlineData("mlp", "laplace", "task \"laplace\"")]
    public void A_silo_that_lacks_the_network_or_the_task_gets_no_member_and_that_is_said_once(string network, string task, string said)
    {
        var run = Run("digits", MemberState.Waiting, MemberState.Waiting, MemberState.Waiting);
        var now = TimeSpan.FromSeconds(10);
        var state = new PlacementState { Since = TimeSpan.Zero };
        (state, _) = PlacementMachine.On(state, new MembershipChanged(["1", "2"]), now);
        (state, _) = PlacementMachine.On(state, new RunAdded(run.Run), now);
        (state, _) = PlacementMachine.On(state, new SiloAnnounced(Silo("1", datasets: ["digits"])), now);
        var host = Silo("2", datasets: ["digits"]) with { Networks = ["mlp", "mine"], Tasks = ["classification", "laplace"] };
        (state, _) = PlacementMachine.On(state, new SiloAnnounced(host), now);

        (state, var effects) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", [network], task, run.Status!), now);
        (_, var again) = PlacementMachine.On(state, new SiloAnnounced(Silo("1", datasets: ["digits"])), now);

        Assert.Equal([("2", 2)], effects.OfType<OfferLanes>().Select(offer => (offer.Grant.Silo, offer.Grant.Members)));
        Assert.Equal([new SayWhatLacks(run.Run, "1", said)], effects.OfType<SayWhatLacks>());
        Assert.Empty(again);
    }

    [Fact]
    public void The_members_of_a_run_that_was_listed_count_when_it_goes_on()
    {
        var run = RunKey.New("r");
        var (state, _) = PlacementMachine.On(new PlacementState { Since = TimeSpan.Zero }, new RunsListed([run]), TimeSpan.Zero);
        (state, _) = PlacementMachine.On(state, new RunAdded(run, 3), TimeSpan.Zero);

        Assert.Equal(3, Assert.Single(state.Runs).Members);
    }

    [Fact]
    public void A_silo_with_the_data_takes_every_member_when_the_others_have_it_not()
    {
        var run = Run("clothes", MemberState.Completed, MemberState.Waiting);
        SiloReport[] silos = [Silo("1", datasets: []), Silo("2", datasets: ["clothes"])];

        Assert.Equal("2", Next([run], silos)?.Silo.Silo);
    }

    [Fact]
    public void No_member_moves_to_a_silo_without_its_data()
    {
        var run = Run("clothes", MemberState.Training, MemberState.Training);
        var uses = ImmutableArray.Create(new LaneUse(run.Run, new MemberAttempt(0, 1), 1), new LaneUse(run.Run, new MemberAttempt(1, 1), 1));
        var full = Silo("2", datasets: ["clothes"]) with { Uses = uses };

        Assert.Null(Move([run], [full, Silo("1", datasets: ["digits"])]));
        Assert.NotNull(Move([run], [full, Silo("1", datasets: ["clothes"])]));
    }

    [Fact]
    public void A_silo_that_has_its_share_takes_more_of_members_that_take_different_times()
    {
        var run = Run("digits", MemberState.Completed, MemberState.Completed, MemberState.Waiting, MemberState.Waiting);
        var busy = Silo("1", datasets: ["digits"]) with { Uses = [new LaneUse(run.Run, new MemberAttempt(3, 1), 1), new LaneUse(run.Run, new MemberAttempt(4, 1), 1)] };
        SiloReport[] silos = [busy, Silo("2", datasets: ["digits"])];

        Assert.Null(Next([run], silos));
        Assert.Equal("2", Next([run with { Status = run.Status! with { AreAlike = false } }], silos)?.Silo.Silo);
    }

    [Fact]
    public void A_free_lane_goes_to_the_run_that_holds_the_fewest()
    {
        var (first, second) = (Run("digits", MemberState.Training, MemberState.Waiting), Run("digits", MemberState.Waiting, MemberState.Waiting));
        var silo = Silo("2", datasets: ["digits"]) with { Uses = [new LaneUse(first.Run, new MemberAttempt(0, 1), 1)] };

        Assert.Equal(second.Run, Next([first, second], [silo])?.Run.Run);
        Assert.Equal(second.Run, Next([second, first], [silo])?.Run.Run);
    }

    [Fact]
    public void A_member_of_two_threads_needs_two_free_lanes()
    {
        var run = Run("digits", MemberState.Waiting) with { Threads = 2 };
        var half = Silo("1", datasets: ["digits"]) with { Uses = [new LaneUse(RunKey.New("other"), new MemberAttempt(0, 1), 1)] };

        Assert.Null(Next([run], [half]));
        Assert.Equal("2", Next([run], [half, Silo("2", datasets: ["digits"])])?.Silo.Silo);
    }

    [Fact]
    public void Of_equal_silos_the_one_with_fewer_members_takes_the_next()
    {
        var run = Run("digits", MemberState.Waiting);
        var other = new LaneUse(RunKey.New("other"), new MemberAttempt(0, 1), 1);
        SiloReport[] silos = [Silo("1", datasets: ["digits"]) with { Lanes = 3, Uses = [other] }, Silo("2", datasets: ["digits"]) with { Lanes = 3 }];

        Assert.Equal("2", Next([run], silos)?.Silo.Silo);
    }

    [Fact]
    public void A_silo_that_has_had_its_share_leaves_the_rest_to_one_that_is_busy_with_the_same_run()
    {
        var run = Run("digits", MemberState.Completed, MemberState.Completed, MemberState.Training, MemberState.Waiting);
        run = run with { Status = run.Status! with { Silos = [new SiloMembers("2", 2), new SiloMembers("1", 1)] } };
        var busy = Silo("1", datasets: ["digits"]) with { Lanes = 1, Uses = [new LaneUse(run.Run, new MemberAttempt(2, 1), 1)] };
        var free = Silo("2", datasets: ["digits"]) with { Lanes = 1 };

        Assert.Null(Next([run], [busy, free]));
        Assert.Equal("1", Next([run], [busy with { Uses = [] }, free])?.Silo.Silo);
    }

    [Fact]
    public void No_member_moves_where_that_only_swaps_the_loads_or_while_one_waits()
    {
        var run = Run("digits", MemberState.Training, MemberState.Training, MemberState.Training);
        LaneUse Use(int member) => new(run.Run, new MemberAttempt(member, 1), 1);
        var full = Silo("2", datasets: ["digits"]) with { Uses = [Use(0), Use(1)] };
        var half = Silo("1", datasets: ["digits"]) with { Uses = [Use(2)] };
        var empty = Silo("3", datasets: ["digits"]);

        Assert.Null(Move([run], [full, half]));
        Assert.NotNull(Move([run], [full, half, empty]));
        Assert.Null(Move([run, Run("digits", MemberState.Waiting)], [full, half, empty]));
        // What a silo still trains of an earlier attempt is nobody's member.
        Assert.Null(Move([run], [full with { Uses = [Use(0) with { Attempt = new MemberAttempt(0, 9) }, Use(1) with { Attempt = new MemberAttempt(1, 9) }] }, empty]));
    }

    [Fact]
    public void A_member_moves_to_a_silo_of_many_lanes_though_a_small_one_is_emptier()
    {
        var run = Run("digits", [.. Enumerable.Repeat(MemberState.Training, 5)]);
        // What the fullest trains is none of the run's members: nothing can leave it.
        var full = Busy("1", lanes: 10, members: Enumerable.Range(5, 10));
        var source = Busy("2", lanes: 10, members: [0, 1, 2, 3]);
        var target = Busy("3", lanes: 10, members: [4]);
        var small = Silo("4", datasets: ["digits"]);

        Assert.Equal((run, new MemberAttempt(0, 1)), Move([run], [full, source, target, small]));
        Assert.Null(Move([run], [full, source, small]));

        SiloReport Busy(string name, int lanes, IEnumerable<int> members) => Silo(name, datasets: ["digits"]) with
        {
            Lanes = lanes, Uses = [.. members.Select(member => new LaneUse(run.Run, new MemberAttempt(member, 1), 1))],
        };
    }

    [Fact]
    public void A_run_that_holds_no_lane_gets_one_of_the_run_that_holds_two_and_no_more()
    {
        var (rich, poor) = (Run("digits", MemberState.Training, MemberState.Training), Run("digits", MemberState.Waiting, MemberState.Waiting));
        var silo = Silo("2", datasets: ["digits"]) with { Uses = [Use(rich, 0), Use(rich, 1)] };

        Assert.Equal((rich, new MemberAttempt(1, 1)), Share([rich, poor], [silo]));
        Assert.Null(Share([rich, poor], [silo with { Uses = [Use(rich, 0)] }]));
        // Neither to nor fro: what is shared stays so.
        var shared = silo with { Uses = [Use(rich, 0), Use(poor, 0)] };
        Assert.Null(Share([rich, poor], [shared]));

        static LaneUse Use(ActiveRun run, int member) => new(run.Run, new MemberAttempt(member, 1), 1);
    }

    [Fact]
    public void Lanes_that_are_offered_are_not_offered_again_and_a_run_is_asked_once()
    {
        var run = Run("digits", [.. Enumerable.Repeat(MemberState.Waiting, 5)]);
        var now = TimeSpan.FromSeconds(10);
        var state = new PlacementState { Since = TimeSpan.Zero };
        (state, _) = PlacementMachine.On(state, new MembershipChanged(["1", "2"]), now);
        (state, var asked) = PlacementMachine.On(state, new RunAdded(run.Run), now);
        Assert.Equal([new AskRun(run.Run)], asked);
        foreach (var name in new[] { "1", "2" }) (state, _) = PlacementMachine.On(state, new SiloAnnounced(Silo(name, datasets: ["digits"])), now);

        (state, var offered) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", run.Status!), now);
        Assert.Equal([("1", 2), ("2", 2)], offered.OfType<OfferLanes>().Select(offer => (offer.Grant.Silo, offer.Grant.Members)).Order());
        (state, var again) = PlacementMachine.On(state, new SiloAnnounced(Silo("1", datasets: ["digits"])), now);
        Assert.Empty(again);
    }

    [Fact]
    public void Lanes_are_given_away_where_the_other_run_can_train_with_them_alone()
    {
        var (rich, poor) = (Run("digits", [.. Enumerable.Repeat(MemberState.Training, 6)]), Run("digits", MemberState.Waiting) with { Threads = 2 });
        var uses = Enumerable.Range(0, 6).Select(member => new LaneUse(rich.Run, new MemberAttempt(member, 1), 1)).ToImmutableArray();
        var silo = Silo("2", datasets: ["digits"]) with { Lanes = 7, Uses = uses };

        Assert.NotNull(Share([rich, poor], [silo]));
        Assert.Null(Share([rich, poor], [silo with { Lanes = 6 }]));
        Assert.Null(Share([rich, poor with { Dataset = "other" }], [silo]));
    }

    [Fact]
    public void A_new_scheduler_waits_a_moment_for_the_silos_that_the_cluster_has()
    {
        var run = Run("digits", MemberState.Waiting);
        var state = Asked(run, TimeSpan.FromSeconds(1), heard: ["1"]);

        (state, var early) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", run.Status!), TimeSpan.FromSeconds(1));
        (_, var late) = PlacementMachine.On(state, new PlacementDue(), TimeSpan.FromSeconds(4));

        Assert.Empty(early.OfType<OfferLanes>());
        Assert.DoesNotContain(late.OfType<OfferLanes>(), offer => offer.Grant.Silo != "1");
    }

    [Fact]
    public void An_offer_that_nobody_answers_is_made_again()
    {
        var run = Run("digits", MemberState.Waiting);
        var state = Asked(run, TimeSpan.FromSeconds(1), heard: ["1", "2"]);
        (state, var first) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", run.Status!), TimeSpan.FromSeconds(1));
        Assert.Single(first.OfType<OfferLanes>());

        (state, _) = PlacementMachine.On(state, new PlacementDue(), TimeSpan.FromSeconds(12));
        Assert.Empty(state.Offers);
    }

    [Fact]
    public void A_run_that_never_says_how_it_is_keeps_no_member_of_another_from_moving()
    {
        var run = Run("digits", MemberState.Training, MemberState.Training);
        LaneUse Use(int member) => new(run.Run, new MemberAttempt(member, 1), 1);
        SiloReport[] silos = [Silo("2", datasets: ["digits"]) with { Uses = [Use(0), Use(1)] }, Silo("3", datasets: ["digits"])];
        var damaged = RunKey.New("damaged");
        var (state, _) = PlacementMachine.On(new PlacementState { Since = TimeSpan.Zero }, new RunAdded(damaged), TimeSpan.Zero);
        Assert.Null(Move([run, state.Runs[0]], silos));

        var asked = 0;
        for (var second = 1; second <= 600; second++)
        {
            if (state.Runs[0].AskedAt is not null) (state, _) = PlacementMachine.On(state, new RunSilent(damaged), TimeSpan.FromSeconds(second));
            (state, var effects) = PlacementMachine.On(state, new PlacementDue(), TimeSpan.FromSeconds(second));
            asked += effects.OfType<AskRun>().Count();
        }

        // Each second at first, and then every ten: each question to it leaves lines in a log.
        Assert.InRange(asked, 50, 80);

        Assert.Equal((run, new MemberAttempt(0, 1)), Move([run, state.Runs[0]], silos));
        // As soon as it speaks it counts again.
        var waiting = Run("digits", MemberState.Waiting);
        (state, _) = PlacementMachine.On(state, new RunAnswered(damaged, 1, "digits", ["mlp"], "classification", waiting.Status!), TimeSpan.FromSeconds(601));
        Assert.Null(Move([run, state.Runs[0]], silos));
    }

    [Fact]
    public void The_store_is_asked_for_runs_every_few_seconds()
    {
        var (state, first) = PlacementMachine.On(new PlacementState { Since = TimeSpan.Zero }, new PlacementDue(), TimeSpan.FromSeconds(1));
        (state, var soon) = PlacementMachine.On(state, new PlacementDue(), TimeSpan.FromSeconds(2));
        (_, var later) = PlacementMachine.On(state, new PlacementDue(), TimeSpan.FromSeconds(7));

        Assert.Equal([1, 0, 1], new[] { first, soon, later }.Select(effects => effects.OfType<ListRuns>().Count()));
    }

    [Fact]
    public void A_run_that_may_have_members_again_is_kept_until_it_was_asked_since()
    {
        var run = Run("digits", MemberState.Completed);
        var still = run.Status! with { State = RunState.Paused };
        var state = Asked(run, TimeSpan.FromSeconds(1), heard: ["1"]);
        (state, _) = PlacementMachine.On(state, new RunChanged(run.Run), TimeSpan.FromSeconds(1));

        (state, _) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", still), TimeSpan.FromSeconds(1));
        Assert.Single(state.Runs);
        (state, _) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", still), TimeSpan.FromSeconds(1));
        Assert.Empty(state.Runs);
    }

    private static (ActiveRun Run, SiloReport Silo)? Next(ActiveRun[] runs, SiloReport[] silos) => Of(runs, silos).Next();

    private static (ActiveRun Run, MemberAttempt Attempt)? Move(ActiveRun[] runs, SiloReport[] silos) => Of(runs, silos).Move();

    private static (ActiveRun Run, MemberAttempt Attempt)? Share(ActiveRun[] runs, SiloReport[] silos) => Of(runs, silos).Share();

    private static Placement Of(ActiveRun[] runs, SiloReport[] silos) => new(runs, [.. silos.Select(SiloLanes.Of)]);

    /// <summary>A scheduler that has asked a run how it is, on two silos.</summary>
    private static PlacementState Asked(ActiveRun run, TimeSpan now, params string[] heard)
    {
        var state = new PlacementState { Since = TimeSpan.Zero };
        (state, _) = PlacementMachine.On(state, new MembershipChanged(["1", "2"]), now);
        (state, _) = PlacementMachine.On(state, new RunAdded(run.Run), now);
        foreach (var name in heard) (state, _) = PlacementMachine.On(state, new SiloAnnounced(Silo(name, datasets: ["digits"])), now);
        return state;
    }

    /// <summary>A run whose members that are not waiting are on silo 2.</summary>
    private static ActiveRun Run(string dataset, params MemberState[] members)
    {
        var key = RunKey.New("run");
        return new ActiveRun(key)
        {
            Threads = 1,
            Dataset = dataset,
            Status = new RunLoad(
                RunState.Running, members.Count(state => state == MemberState.Waiting), [.. members.Select(state => state == MemberState.Training ? 1 : 0)],
                [new SiloMembers("2", members.Count(state => state != MemberState.Waiting))]),
        };
    }

    private static SiloReport Silo(string name, ImmutableArray<string> datasets) => new(name, name, 2, new MachineInfo("", "", ""), datasets, [], ["mlp"], ["classification"]);
}

using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

/// <content>What counts as held, offered and taken, and whose turn it is.</content>
public sealed partial class PlacementTests
{
    [Fact]
    public void What_an_offer_gave_counts_once_whether_the_silo_or_the_run_says_so_first()
    {
        var run = Run("digits", MemberState.Waiting, MemberState.Waiting);
        var now = TimeSpan.FromSeconds(1);
        var state = Asked(run, now, heard: ["1", "2"]);
        (state, var effects) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", run.Status!), now);
        var offer = effects.OfType<OfferLanes>().First(offer => offer.Grant.Silo == "1");
        var attempt = new MemberAttempt(0, 1);

        (state, _) = PlacementMachine.On(state, new SiloAnnounced(Silo("1", datasets: ["digits"]) with { Uses = [new LaneUse(run.Run, attempt, 1)] }), now);
        (state, _) = PlacementMachine.On(state, new OfferAnswered(offer.Number, [attempt]), now);

        Assert.Equal(1, state.Silos.Single(silo => silo.Report.Silo == "1").Lanes.Used);
    }

    [Fact]
    public void A_member_that_goes_on_elsewhere_is_one_of_the_run_s_members_still()
    {
        var run = Run("digits", MemberState.Training, MemberState.Waiting);
        var now = TimeSpan.FromSeconds(1);
        var state = Asked(run, now, heard: ["1", "2"]);
        (state, var effects) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", run.Status!), now);
        var offer = Assert.Single(effects.OfType<OfferLanes>());

        // The member that trained was given away as well, meanwhile: it was counted when it was given a lane first.
        (state, _) = PlacementMachine.On(state, new OfferAnswered(offer.Number, [new MemberAttempt(0, 2)]), now);

        Assert.Equal((1, 0), (state.Runs[0].Status!.Waiting, state.Runs[0].Status!.Silos.Single(silo => silo.Silo == offer.Grant.Silo).Members - MembersBefore(run, offer.Grant.Silo)));
    }

    [Fact]
    public void A_run_that_answers_is_silent_from_the_beginning_when_it_falls_silent_again()
    {
        var run = Run("digits", MemberState.Training);
        var now = TimeSpan.FromSeconds(1);
        var state = Asked(run, now, heard: ["1", "2"]);
        for (var i = 0; i < 20; i++)
        {
            (state, _) = PlacementMachine.On(state, new RunSilent(run.Run), now);
            (state, _) = PlacementMachine.On(state, new RunAnswered(run.Run, 1, "digits", ["mlp"], "classification", run.Status!), now);
        }

        (state, _) = PlacementMachine.On(state, new RunSilent(run.Run), now);

        Assert.True(state.Runs[0].IsAwaited);
    }

    [Fact]
    public void A_run_that_was_silent_for_long_is_asked_again_after_a_while()
    {
        var silent = new ActiveRun(RunKey.New("r")) { Silences = 100, SilentAt = TimeSpan.FromSeconds(50) };

        Assert.False(silent.IsAskedAt(TimeSpan.FromSeconds(59)));
        Assert.True(silent.IsAskedAt(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void Members_that_are_offered_lanes_wait_for_no_others()
    {
        var run = Run("digits", MemberState.Waiting, MemberState.Waiting, MemberState.Waiting);

        Assert.Equal(1, (run with { Offered = [("1", 2)] }).Waiting);
    }

    [Fact]
    public void Lanes_that_are_offered_count_as_those_of_so_many_members()
    {
        var lanes = SiloLanes.Of(Silo("1", datasets: [])).With(new Offer(1, RunKey.New("r"), "1", Members: 1, Lanes: 2, TimeSpan.Zero));

        Assert.Equal((1, 2, 0), (lanes.Members, lanes.Used, lanes.Free));
    }

    [Fact]
    public void Of_runs_that_hold_as_many_lanes_the_one_that_was_given_none_for_longest_is_next()
    {
        var (first, second) = (Run("digits", MemberState.Waiting) with { LastOffer = 7 }, Run("digits", MemberState.Waiting) with { LastOffer = 3 });

        Assert.Equal(second.Run, Next([first, second], [Silo("1", datasets: ["digits"])])?.Run.Run);
    }

    [Fact]
    public void Of_runs_without_a_lane_the_one_that_was_given_none_for_longest_gets_that_of_a_rich_one()
    {
        var rich = Run("both", MemberState.Training, MemberState.Training);
        SiloReport Of(string dataset, int member) => Silo(dataset, datasets: ["both", dataset]) with { Uses = [new LaneUse(rich.Run, new MemberAttempt(member, 1), 1)] };
        var (first, second) = (Run("digits", MemberState.Waiting) with { LastOffer = 7 }, Run("moons", MemberState.Waiting) with { LastOffer = 3 });

        // Each can train on one of the silos alone.
        Assert.Equal(new MemberAttempt(1, 1), Share([rich, first, second], [Of("digits", 0), Of("moons", 1)])?.Attempt);
    }

    [Fact]
    public void A_run_without_a_lane_gets_one_of_a_run_that_keeps_as_many_whatever_their_priorities()
    {
        var rich = Run("digits", MemberState.Training, MemberState.Training) with { Priority = 100 };
        var poor = Run("digits", MemberState.Waiting);
        var silo = Silo("2", datasets: ["digits"]) with { Uses = [new LaneUse(rich.Run, new MemberAttempt(0, 1), 1), new LaneUse(rich.Run, new MemberAttempt(1, 1), 1)] };

        Assert.Equal((rich, new MemberAttempt(1, 1)), Share([rich, poor], [silo]));
    }

    [Fact]
    public void A_silo_that_the_cluster_calls_active_is_known_although_it_is_silent_for_a_while()
    {
        var run = Run("digits", MemberState.Training);
        var state = Asked(run, TimeSpan.FromSeconds(1), heard: ["1", "2"]);
        var later = TimeSpan.FromSeconds(1) + state.Timing.Silence;

        (state, _) = PlacementMachine.On(state, new SiloAnnounced(Silo("2", datasets: ["digits"])), later);

        Assert.Equal(["1", "2"], state.Silos.Select(silo => silo.Report.Silo).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_run_s_members_are_counted_once()
    {
        var run = RunKey.New("r");
        var (state, _) = PlacementMachine.On(new PlacementState { Since = TimeSpan.Zero }, new RunAdded(run, 3), TimeSpan.Zero);
        (state, _) = PlacementMachine.On(state, new RunAdded(run), TimeSpan.Zero);

        Assert.Equal(3, Assert.Single(state.Runs).Members);
    }

    private static int MembersBefore(ActiveRun run, string silo) => run.Status!.Silos.FirstOrDefault(known => known.Silo == silo).Members;
}

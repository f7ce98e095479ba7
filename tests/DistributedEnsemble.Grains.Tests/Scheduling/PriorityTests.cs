using System.Collections.Immutable;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

/// <summary>Lanes are shared by weight: what a run holds counts for its priority.</summary>
public sealed class PriorityTests
{
    [Theory]
    [InlineData(8, new[] { 1, 3 }, new[] { 2, 6 })]
    [InlineData(8, new[] { 1, 1 }, new[] { 4, 4 })]
    [InlineData(8, new[] { 5, 5 }, new[] { 4, 4 })]
    [InlineData(4, new[] { 1, 3 }, new[] { 1, 3 })]
    [InlineData(12, new[] { 1, 2, 3 }, new[] { 2, 4, 6 })]
    // The least of priorities still has its lane.
    [InlineData(4, new[] { 1, 100 }, new[] { 1, 3 })]
    public void Runs_hold_lanes_by_their_priorities_whoever_came_first_and_keep_them(int lanes, int[] priorities, int[] held)
    {
        var together = new World(lanes, priorities);
        together.Settle();
        Assert.Equal(held, together.Held);
        Assert.Equal(0, together.Moves);

        for (var first = 0; first < priorities.Length; first++)
        {
            var world = new World(lanes, priorities);
            for (var lane = 0; lane < lanes; lane++) world.Take(first);
            world.Settle();

            Assert.Equal(held, world.Held);
            // One for each lane that others are given, and none to and fro.
            Assert.Equal(lanes - held[first], world.Moves);
        }
    }

    [Fact]
    public void A_run_of_few_members_leaves_the_rest_of_its_share_to_the_others()
    {
        var world = new World(8, [1, 3], members: [100, 2]);
        world.Settle();

        Assert.Equal([6, 2], world.Held);
    }

    [Fact]
    public void Wherever_lanes_begin_no_run_gives_and_gets_and_in_the_end_no_move_would_even_them()
    {
        var random = new Random(7);
        for (var trial = 0; trial < 2000; trial++)
        {
            int[] priorities = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => random.Next(3) == 0 ? random.Next(1, 101) : random.Next(1, 5))];
            var world = new World(random.Next(1, 25), priorities);
            for (var lane = random.Next(world.Lanes + 1); lane > 0; lane--) world.Take(random.Next(priorities.Length));
            // Free lanes are given first: what moves count from there.
            world.GiveFree();
            var before = world.Held;
            world.Settle();

            Assert.Equal(world.Lanes, world.Held.Sum());
            Assert.Equal(before.Zip(world.Held, (from, to) => Math.Max(0, to - from)).Sum(), world.Moves);
            for (var rich = 0; rich < priorities.Length; rich++)
            {
                if (before[rich] > 0) Assert.NotEqual(0, world.Held[rich]);
                for (var poor = 0; poor < priorities.Length; poor++)
                {
                    Assert.False((world.Held[rich] - 1) * priorities[poor] >= (world.Held[poor] + 1) * priorities[rich], $"{trial}: {rich} has more than {poor}");
                    Assert.False(world.Held[poor] == 0 && world.Held[rich] > 1, $"{trial}: {poor} starves beside {rich}");
                }
            }
        }
    }

    [Fact]
    public void Where_all_priorities_are_the_same_lanes_alone_decide()
    {
        var random = new Random(11);
        for (var trial = 0; trial < 500; trial++)
        {
            var (runs, lanes) = (random.Next(1, 6), random.Next(1, 17));
            var priority = random.Next(2, 101);
            var (plain, weighted) = (new World(lanes, [.. Enumerable.Repeat(1, runs)]), new World(lanes, [.. Enumerable.Repeat(priority, runs)]));
            for (var lane = random.Next(lanes + 1); lane > 0; lane--)
            {
                var run = random.Next(runs);
                plain.Take(run);
                weighted.Take(run);
            }

            plain.GiveFree();
            weighted.GiveFree();
            // The one that gives still holds as many lanes as the one that gets.
            var isUneven = plain.Held.Max() - 1 >= plain.Held.Min() + 1;
            Assert.Equal(isUneven, plain.Step());
            Assert.Equal(isUneven, weighted.Step());
            plain.Settle();
            weighted.Settle();

            Assert.Equal(plain.Held, weighted.Held);
            Assert.Equal(plain.Moves, weighted.Moves);
        }
    }

    [Fact]
    public void The_scheduler_weighs_a_run_as_the_run_says()
    {
        var (first, second) = (RunKey.New("first"), RunKey.New("second"));
        var load = new RunLoad(RunState.Running, 20, [.. new int[20]], []);
        var (state, _) = PlacementMachine.On(new PlacementState { Since = TimeSpan.Zero }, new MembershipChanged(["1"]), TimeSpan.Zero);
        foreach (var run in new[] { first, second }) (state, _) = PlacementMachine.On(state, new RunAdded(run, 20), TimeSpan.Zero);
        (state, _) = PlacementMachine.On(state, new SiloAnnounced(new SiloReport("1", "1", 8, new MachineInfo("", "", ""), [], [], [], [])), TimeSpan.Zero);
        (state, _) = PlacementMachine.On(state, new RunAnswered(first, 1, null, [], null, load), TimeSpan.Zero);
        (_, var effects) = PlacementMachine.On(state, new RunAnswered(second, 1, null, [], null, load, Priority: 3), TimeSpan.Zero);

        Assert.Equal([(first, 2), (second, 6)], effects.OfType<OfferLanes>().Select(offer => (offer.Run, offer.Grant.Members)).OrderBy(offer => offer.Members));
    }

    /// <summary>Runs with more members than there are lanes, on two silos, whose members leave as soon as they are asked to.</summary>
    private sealed class World
    {
        private readonly ActiveRun[] _runs;
        private readonly SiloLanes[] _silos;

        public World(int lanes, int[] priorities, int[]? members = null)
        {
            Lanes = lanes;
            _runs = [.. priorities.Select((priority, run) => new ActiveRun(RunKey.New($"r{run}"))
            {
                Threads = 1, Priority = priority, Status = Load(new int[members?[run] ?? (lanes + 1)]),
            })];
            int[] sizes = lanes > 1 ? [lanes / 2, lanes - (lanes / 2)] : [lanes];
            _silos = [.. sizes.Select((size, silo) => SiloLanes.Of(new SiloReport($"{silo}", $"{silo}", size, new MachineInfo("", "", ""), [], [], [], [])))];
        }

        public int Lanes { get; }

        public int Moves { get; private set; }

        public int[] Held => [.. _runs.Select(run => _silos.Sum(silo => silo.HeldBy(run.Run)))];

        /// <summary>Its next member takes a lane, whoever's it should be.</summary>
        public void Take(int run) => Give(_runs[run].Run, _silos.First(silo => silo.Free > 0).Report.Silo);

        /// <summary>Gives free lanes, and lets members leave lanes for others, until nothing happens any more.</summary>
        public void Settle()
        {
            do GiveFree(); while (Step());
        }

        public void GiveFree()
        {
            foreach (var (run, silo) in new Placement(_runs, _silos).All().ToList()) Give(run.Run, silo.Silo);
        }

        /// <returns>Whether a member is to leave its lane, which the next of another run takes.</returns>
        public bool Step()
        {
            if (_silos.Any(silo => silo.Free > 0)) GiveFree();
            if (new Placement(_runs, _silos).Share() is not var (rich, attempt)) return false;
            Assert.True(++Moves <= Lanes, "Members move to and fro.");
            var silo = Array.FindIndex(_silos, silo => silo.Report.Uses.Any(use => use.Run == rich.Run && use.Attempt == attempt));
            _silos[silo] = With(silo, _silos[silo].Report.Uses.RemoveAll(use => use.Run == rich.Run && use.Attempt == attempt));
            Set(Array.FindIndex(_runs, run => run.Run == rich.Run), attempt.Member, 0);
            var next = new Placement(_runs, _silos).Next();
            Assert.NotEqual(rich.Run, next?.Run.Run);
            GiveFree();
            return true;
        }

        private void Give(RunKey run, string silo)
        {
            var (index, there) = (Array.FindIndex(_runs, known => known.Run == run), int.Parse(silo));
            var member = _runs[index].Status!.Attempts.IndexOf(0);
            Set(index, member, 1);
            _silos[there] = With(there, _silos[there].Report.Uses.Add(new LaneUse(run, new MemberAttempt(member, 1), 1)));
        }

        private void Set(int run, int member, int attempt) =>
            _runs[run] = _runs[run] with { Status = Load([.. _runs[run].Status!.Attempts.SetItem(member, attempt)]) };

        private SiloLanes With(int silo, ImmutableArray<LaneUse> uses) => SiloLanes.Of(_silos[silo].Report with { Uses = uses });

        private static RunLoad Load(int[] attempts) => new(RunState.Running, attempts.Count(attempt => attempt == 0), [.. attempts], []) { AreAlike = false };
    }
}

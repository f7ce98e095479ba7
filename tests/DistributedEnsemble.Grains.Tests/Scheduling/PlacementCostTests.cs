using System.Collections.Immutable;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

/// <summary>What the scheduler looks at, counted: the same on any machine, however busy it is.</summary>
public sealed class PlacementCostTests
{
    private const int Rounds = 40;

    [Theory, InlineData(20, 1), InlineData(100, 1), InlineData(20, 50)]
    public void A_member_costs_the_scheduler_the_same_among_a_thousand_and_among_ten_thousand(int silos, int runs)
    {
        var (few, many) = (LookedPerMember(1_000, silos, runs), LookedPerMember(10_000, silos, runs));

        Assert.InRange(few, 1, 4 * Rounds);
        Assert.InRange(many, 1, 1.2 * few);
    }

    /// <summary>Lane uses that are looked at for each member, from the runs' beginning until the last member has ended.</summary>
    private static double LookedPerMember(int members, int silos, int runs)
    {
        var world = new World(members / runs, silos, runs);
        for (var round = 1; round <= Rounds; round++) world.Train(round);
        Assert.All(world.Ended, ended => Assert.Equal(members / runs, ended));
        return (double)world.Looked / members;
    }

    /// <summary>Silos that do as the scheduler says, of which the first ones train faster: the others stay fuller.</summary>
    private sealed class World
    {
        private readonly RunKey[] _runs;
        private readonly int _members, _silos;
        private readonly List<LaneUse>[] _uses;
        private readonly Queue<PlacementEffect> _effects = [];
        private readonly Queue<int>[] _waiting;
        private readonly int[][] _attempts;
        private PlacementState _state = new() { Since = TimeSpan.Zero };
        private TimeSpan _now = TimeSpan.FromSeconds(10);

        public World(int members, int silos, int runs)
        {
            (_members, _silos) = (members, silos);
            (_runs, _uses) = ([.. Enumerable.Range(0, runs).Select(run => RunKey.New($"r{run}"))], [.. Enumerable.Range(0, silos).Select(_ => new List<LaneUse>())]);
            _waiting = [.. _runs.Select(_ => new Queue<int>(Enumerable.Range(0, members)))];
            (_attempts, Ended) = ([.. _runs.Select(_ => new int[members])], new int[runs]);
            On(new MembershipChanged([.. Enumerable.Range(0, silos).Select(Address)]));
            for (var silo = 0; silo < silos; silo++) Announce(silo);
            foreach (var run in _runs) On(new RunAdded(run, members));
            Assert.Equal(members * runs, _uses.Sum(uses => uses.Count));
        }

        public long Looked => _state.Looked;

        /// <summary>Members of each run that have ended.</summary>
        public int[] Ended { get; }

        /// <summary>Half a second later some members have ended, everywhere or where they are fast.</summary>
        public void Train(int round)
        {
            _now += TimeSpan.FromSeconds(0.5);
            for (var silo = 0; silo < _silos; silo++)
            {
                var fast = silo < _silos / 2 ? Rounds / 2 : Rounds;
                var left = Math.Max(0, _members * _runs.Length / _silos * (fast - round) / (double)fast);
                var end = Math.Max(0, _uses[silo].Count - (int)Math.Round(left));
                foreach (var use in _uses[silo][..end]) Ended[Array.IndexOf(_runs, use.Run)]++;
                _uses[silo].RemoveRange(0, end);
                Announce(silo);
            }

            On(new PlacementDue());
        }

        private void Announce(int silo) => On(new SiloAnnounced(new SiloReport(
            Address(silo), Address(silo), 2 * _members * _runs.Length / _silos, new MachineInfo("", "", ""), ["digits"], [.. _uses[silo]], ["mlp"], ["classification"])));

        private void On(PlacementEvent happened)
        {
            (_state, var effects) = PlacementMachine.On(_state, happened, _now);
            foreach (var effect in effects) _effects.Enqueue(effect);
            while (_effects.TryDequeue(out var effect)) Perform(effect);
        }

        private void Perform(PlacementEffect effect)
        {
            switch (effect)
            {
                case AskRun ask: On(new RunAnswered(ask.Run, 1, "digits", ["mlp"], "classification", Load(Array.IndexOf(_runs, ask.Run)))); break;
                case OfferLanes offer: On(new OfferAnswered(offer.Number, Take(offer))); break;
                case MoveMember move: Leave(move); break;
                case ListRuns: break;
                default: throw new InvalidOperationException($"{effect} is not expected here.");
            }
        }

        private ImmutableArray<MemberAttempt> Take(OfferLanes offer)
        {
            var run = Array.IndexOf(_runs, offer.Run);
            var attempts = ImmutableArray.CreateBuilder<MemberAttempt>();
            while (attempts.Count < offer.Grant.Members && _waiting[run].TryDequeue(out var member)) attempts.Add(new MemberAttempt(member, ++_attempts[run][member]));
            _uses[int.Parse(offer.Grant.Silo)].AddRange(attempts.Select(attempt => new LaneUse(offer.Run, attempt, 1)));
            return attempts.ToImmutable();
        }

        private void Leave(MoveMember move)
        {
            var silo = Array.FindIndex(_uses, uses => uses.RemoveAll(use => use.Run == move.Run && use.Attempt == move.Attempt) > 0);
            _waiting[Array.IndexOf(_runs, move.Run)].Enqueue(move.Attempt.Member);
            Announce(silo);
            On(new RunChanged(move.Run));
        }

        private RunLoad Load(int run)
        {
            var attempts = new int[_members];
            foreach (var use in _uses.SelectMany(uses => uses)) if (use.Run == _runs[run]) attempts[use.Attempt.Member] = use.Attempt.Attempt;
            return new RunLoad(
                RunState.Running, _waiting[run].Count, [.. attempts],
                [.. _uses.Select((uses, silo) => new SiloMembers(Address(silo), uses.Count(use => use.Run == _runs[run])))]);
        }

        private static string Address(int silo) => $"{silo}";
    }
}

using System.Collections.Immutable;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Simulation.Worlds;

namespace DistributedEnsemble.Simulation;

/// <summary>Hundreds of runs of unequal size on lanes that are too few for them.</summary>
[Collection("Histories")]
public sealed class FairLanesTests
{
    [Theory, InlineData(1, 1), InlineData(2, 1), InlineData(3, 1), InlineData(1, 4), InlineData(3, 100)]
    public void No_run_starves_lanes_are_busy_while_members_wait_and_moves_are_few(ulong seed, int mostPriority)
    {
        var cluster = new Cluster(seed, silos: 16, lanes: 4);
        // One that was there before has all lanes.
        cluster.Submit(members: 600);
        var (dice, priorities, left) = (new Dice(seed), new Dice(seed + 2000), 200);
        while (!cluster.HasEnded || left > 0)
        {
            // They come one by one and in crowds, most of them small.
            for (var come = left > 0 && dice.OneIn(10) ? Math.Min(left, dice.OneIn(5) ? 40 : 1) : 0; come > 0; come--, left--)
            {
                cluster.Submit(dice.OneIn(10) ? dice.Between(50, 200) : dice.Between(1, 10), priorities.Between(1, mostPriority));
            }

            cluster.Pass();
            Assert.True(cluster.Now < TimeSpan.FromDays(1), $"{cluster.Unfinished} runs are unfinished.");
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{cluster.Now} until 201 runs have ended, {cluster.Moves} moves; without a lane while others have two: {cluster.LongestPoor} at most.");
        Assert.Equal("", string.Join('\n', cluster.Faults.Distinct().Take(5)));
        // Each run that comes while others hold more than one lane is given a share, which grows by a lane where runs end.
        Assert.InRange(cluster.Moves, 1, 4 * 201);
    }

    /// <summary>Silos whose members take their time, and leave at a checkpoint if they are asked to.</summary>
    private sealed class Cluster
    {
        private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(0.5), s_checkpoint = TimeSpan.FromSeconds(1), s_move = TimeSpan.FromSeconds(5);

        private readonly List<Work>[] _works;
        private readonly List<Run> _runs = [];
        private readonly int _lanes;
        private readonly Queue<PlacementEffect> _effects = [];
        private PlacementState _state = new() { Since = TimeSpan.Zero };
        private Dice _dice;
        private bool _isPerforming, _isEven;

        public Cluster(ulong seed, int silos, int lanes)
        {
            (_dice, _lanes, _works) = (new Dice(seed + 1000), lanes, [.. Enumerable.Range(0, silos).Select(_ => new List<Work>())]);
            On(new MembershipChanged([.. Enumerable.Range(0, silos).Select(silo => $"{silo}")]));
            for (var silo = 0; silo < silos; silo++) Announce(silo);
        }

        public TimeSpan Now { get; private set; }

        public int Moves { get; private set; }

        public TimeSpan LongestPoor { get; private set; }

        public List<string> Faults { get; } = [];

        public int Unfinished => _runs.Count(run => run.Left > 0);

        public bool HasEnded => Unfinished == 0;

        public void Submit(int members, int priority = 1)
        {
            var run = new Run(new RunKey($"r{_runs.Count}", new Guid(_runs.Count, 0, 0, new byte[8])), members, priority);
            for (var member = 0; member < members; member++) run.Waiting.Enqueue((member, TimeSpan.FromSeconds(_dice.Between(5, 60))));
            _runs.Add(run);
            On(new RunAdded(run.Key, members));
        }

        /// <summary>Half a second: members end, or leave, and lanes are given again.</summary>
        public void Pass()
        {
            Now += s_tick;
            for (var silo = 0; silo < _works.Length; silo++)
            {
                foreach (var work in _works[silo].Where(work => Now >= work.Ends || Now >= work.Leaves).ToList())
                {
                    _works[silo].Remove(work);
                    if (Now >= work.Ends) work.Run.Left--;
                    else work.Run.Waiting.Enqueue((work.Attempt.Member, work.Ends - Now));
                    Announce(silo);
                    On(new RunChanged(work.Run.Key));
                }
            }

            // Each silo announces itself once a second.
            for (var silo = _isEven ? 0 : 1; silo < _works.Length; silo += 2) Announce(silo);
            _isEven = !_isEven;
            On(new PlacementDue());
            var free = _works.Sum(works => _lanes - works.Count);
            if (free > 0 && _runs.Any(run => run.Waiting.Count > 0)) Faults.Add($"{Now}: {free} lanes are free while members wait");
            Look();
        }

        /// <summary>Whoever has no lane, while others have two, is given one in its turn: a move is made in some seconds.</summary>
        private void Look()
        {
            var poor = _runs.Where(run => run.Waiting.Count > 0 && Held(run) == 0).ToList();
            foreach (var run in _runs.Except(poor)) run.Poor = null;
            if (!_runs.Any(run => Held(run) >= 2)) poor.ForEach(run => run.Poor = null);
            else foreach (var run in poor)
            {
                var (since, most) = run.Poor ?? (Now, 0);
                run.Poor = (since, Math.Max(most, poor.Count));
                if (Now - since > LongestPoor) LongestPoor = Now - since;
                if (Now - since > s_move * (run.Poor.Value.Most + 1)) Faults.Add($"{run.Key.Name} has no lane since {since}, and others have two");
            }
        }

        private void Announce(int silo) => On(new SiloAnnounced(new SiloReport(
            $"{silo}", $"{silo}", _lanes, new MachineInfo("", "", ""), [], [.. _works[silo].Select(work => new LaneUse(work.Run.Key, work.Attempt, 1))], [], [])));

        private void On(PlacementEvent happened)
        {
            (_state, var effects) = PlacementMachine.On(_state, happened, Now);
            foreach (var effect in effects) _effects.Enqueue(effect);
            if (_isPerforming) return;
            _isPerforming = true;
            while (_effects.TryDequeue(out var effect)) Perform(effect);
            _isPerforming = false;
        }

        private void Perform(PlacementEffect effect)
        {
            switch (effect)
            {
                case AskRun ask: On(new RunAnswered(ask.Run, 1, null, [], null, Load(Of(ask.Run)), Of(ask.Run).Priority)); break;
                case OfferLanes offer: On(new OfferAnswered(offer.Number, Take(Of(offer.Run), int.Parse(offer.Grant.Silo), offer.Grant.Members))); break;
                case MoveMember move:
                    var moved = _works.SelectMany(works => works).Single(work => work.Run.Key == move.Run && work.Attempt == move.Attempt);
                    if (Held(moved.Run) < 2) Faults.Add($"{Now}: {move.Run.Name} leaves its only lane");
                    moved.Leaves = Now + s_checkpoint;
                    Moves++;
                    break;
                case ListRuns: break;
                default: throw new InvalidOperationException($"{effect} is not expected here.");
            }
        }

        private ImmutableArray<MemberAttempt> Take(Run run, int silo, int members)
        {
            var attempts = ImmutableArray.CreateBuilder<MemberAttempt>();
            while (attempts.Count < members && run.Waiting.TryDequeue(out var next))
            {
                var attempt = new MemberAttempt(next.Member, ++run.Attempts[next.Member]);
                attempts.Add(attempt);
                _works[silo].Add(new Work(run, attempt, Now + next.Left));
                // Of those that have no lane each is given one before any is passed over for the second time.
                run.PassedOver.Clear();
                foreach (var other in _runs.Where(other => other != run && other.Waiting.Count > 0 && Held(other) == 0 && Held(run) > 0))
                {
                    var times = other.PassedOver[run] = other.PassedOver.GetValueOrDefault(run) + 1;
                    if (times > 1) Faults.Add($"{other.Key.Name} has no lane, and {run.Key.Name} is given its {Held(run)}. for the {times}. time meanwhile");
                }
            }

            return attempts.ToImmutable();
        }

        private int Held(Run run) => _works.Sum(works => works.Count(work => work.Run == run));

        private RunLoad Load(Run run)
        {
            var attempts = new int[run.Attempts.Length];
            foreach (var work in _works.SelectMany(works => works)) if (work.Run == run) attempts[work.Attempt.Member] = work.Attempt.Attempt;
            return new RunLoad(
                run.Left > 0 ? RunState.Running : RunState.Completed, run.Waiting.Count, [.. attempts],
                [.. _works.Select((works, silo) => new SiloMembers($"{silo}", works.Count(work => work.Run == run)))]);
        }

        private Run Of(RunKey key) => _runs[int.Parse(key.Name[1..])];

        private sealed class Run(RunKey key, int members, int priority)
        {
            public RunKey Key => key;

            public int Priority => priority;

            public Queue<(int Member, TimeSpan Left)> Waiting { get; } = [];

            public int[] Attempts { get; } = new int[members];

            public int Left { get; set; } = members;

            /// <summary>Since when it has no lane while others have two, and with how many runs at most.</summary>
            public (TimeSpan Since, int Most)? Poor { get; set; }

            /// <summary>By whom, since it got a lane.</summary>
            public Dictionary<Run, int> PassedOver { get; } = [];
        }

        private sealed class Work(Run run, MemberAttempt attempt, TimeSpan ends)
        {
            public Run Run => run;

            public MemberAttempt Attempt => attempt;

            public TimeSpan Ends => ends;

            public TimeSpan? Leaves { get; set; }
        }
    }
}

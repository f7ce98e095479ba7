using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>
/// Which member goes where: a function of what runs and silos said of themselves. What it takes grows with runs, silos and the
/// members that it places; those in training are looked at one by one only on a silo that one is to leave.
/// </summary>
internal sealed class Placement(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloLanes> silos)
{
    private readonly Dictionary<RunKey, int> _held = Sum(silos);

    /// <summary>Lane uses that were looked at: what it cost, whatever machine it was on.</summary>
    public long Looked { get; private set; }

    /// <returns>Null if no member waits, or none can be placed.</returns>
    public (ActiveRun Run, SiloReport Silo)? Next() => All().Select(next => ((ActiveRun, SiloReport)?)next).FirstOrDefault();

    /// <summary>One member after another: the next of the run that holds the fewest lanes for its priority, and got none for longest, to the silo that has the fewest members.</summary>
    public IEnumerable<(ActiveRun Run, SiloReport Silo)> All()
    {
        if (!runs.Any(IsReady)) yield break;
        SiloLanes[] ordered = [.. silos.OrderBy(silo => silo.Report.Silo, StringComparer.Ordinal)];
        var room = ordered.Select(silo => new Room(silo.Free, silo.Members)).ToArray();
        var waiting = runs.Where(IsReady).Select(run => new Waiting(run, ordered, HeldBy(run))).ToList();
        while (waiting.MinBy(run => (run.Share, run.Run.LastOffer)) is { } poorest)
        {
            var place = poorest.Choose(room);
            if (place >= 0)
            {
                poorest.Take(place, room);
                yield return (poorest.Run, ordered[place].Report);
            }

            // Places become fewer, never more.
            if (place < 0 || poorest.Members == 0) waiting.Remove(poorest);
        }
    }

    /// <summary>
    /// A member whose going from a silo to another, which has a free lane, makes their numbers of members more equal: from the silo
    /// that is fullest, to the one that is emptiest.
    /// </summary>
    public (ActiveRun Run, MemberAttempt Attempt)? Move()
    {
        if (runs.Any(run => run.IsAwaited || run.Waiting > 0)) return null;
        // The most that a silo has, and the least that one would have with one lane more.
        var most = silos.Select(silo => silo.Load).DefaultIfEmpty().Max();
        SiloLanes[] targets = [.. silos.Where(silo => silo.Free > 0 && LoadWith(silo, 1) < most).OrderBy(silo => silo.Load)];
        if (targets.Length == 0) return null;
        // The emptiest may be a small silo, that one lane fills more than it fills another.
        var least = targets.Min(silo => LoadWith(silo, 1));
        var known = runs.Where(run => run.Status is { State: RunState.Running }).ToDictionary(run => run.Run);
        foreach (var source in silos.OrderByDescending(silo => silo.Load))
        {
            // A move that only swaps the two would go on for ever.
            if (least >= source.Load) return null;
            var leaving = Leaving(source, known);
            foreach (var target in targets)
            {
                var fitting = leaving.Where(use => target.Free >= use.Lanes && LoadWith(target, use.Lanes) < source.Load && use.Run.CanTrainOn(target.Report));
                if (fitting.MinBy(use => use.Attempt.Member) is { } use) return (use.Run, use.Attempt);
            }
        }

        return null;
    }

    /// <summary>
    /// A member of the run that holds the most lanes for its priority, which leaves them to a run that has members waiting and holds
    /// fewer. Never to and fro: the one that gives still holds as many, for its priority, as the one that gets. A run that has none is
    /// given one of any that keeps as many, whatever their priorities: none starves.
    /// </summary>
    public (ActiveRun Run, MemberAttempt Attempt)? Share()
    {
        if (!runs.Any(IsReady)) return null;
        ActiveRun[] running = [.. runs.Where(run => run.Status is { State: RunState.Running } && HeldBy(run) > 0).OrderByDescending(ShareHeldBy)];
        SiloLanes[] fullest = [.. silos.OrderByDescending(silo => silo.Used)];
        var choice =
            from poor in runs.Where(IsReady).OrderBy(ShareHeldBy).ThenBy(run => run.LastOffer)
            from rich in running
            where Gives(rich, poor)
            from silo in fullest
            where silo.HeldBy(rich.Run) > 0 && poor.CanTrainOn(silo.Report)
            select Last(silo, rich, poor.Threads!.Value - silo.Free) is { } attempt ? ((ActiveRun, MemberAttempt)?)(rich, attempt) : null;
        return choice.FirstOrDefault(found => found is not null);
    }

    /// <summary>Of each run that trains on the silo the first member, for each number of lanes: one that can leave it.</summary>
    private List<Use> Leaving(SiloLanes silo, Dictionary<RunKey, ActiveRun> known)
    {
        var first = new Dictionary<(RunKey, int), Use>();
        foreach (var use in Uses(silo))
        {
            if (!known.TryGetValue(use.Run, out var run) || !IsTraining(run, use.Attempt)) continue;
            if (first.TryGetValue((use.Run, use.Lanes), out var other) && other.Attempt.Member <= use.Attempt.Member) continue;
            first[(use.Run, use.Lanes)] = new Use(run, use.Attempt, use.Lanes);
        }

        return [.. first.Values];
    }

    /// <summary>The last of the run's members on the silo that has at least so many lanes.</summary>
    private MemberAttempt? Last(SiloLanes silo, ActiveRun run, int lanes)
    {
        MemberAttempt? last = null;
        foreach (var use in Uses(silo))
        {
            if (use.Run == run.Run && use.Lanes >= lanes && IsTraining(run, use.Attempt) && !(last?.Member >= use.Attempt.Member)) last = use.Attempt;
        }

        return last;
    }

    private ImmutableArray<LaneUse> Uses(SiloLanes silo)
    {
        Looked += silo.Report.Uses.Length;
        return silo.Report.Uses;
    }

    private bool Gives(ActiveRun rich, ActiveRun poor)
    {
        if (rich.Threads is not { } given || poor.Threads is not { } taken) return false;
        var (kept, got) = (HeldBy(rich) - given, HeldBy(poor) + taken);
        return PerPriority(kept, rich) >= PerPriority(got, poor) || (HeldBy(poor) == 0 && kept >= got);
    }

    private double ShareHeldBy(ActiveRun run) => PerPriority(HeldBy(run), run);

    /// <summary>Equal shares are equal numbers: a quotient is rounded to the nearest, whatever it is the quotient of.</summary>
    private static double PerPriority(int lanes, ActiveRun run) => (double)lanes / run.Priority;

    private int HeldBy(ActiveRun run) => _held.GetValueOrDefault(run.Run);

    private static Dictionary<RunKey, int> Sum(IReadOnlyList<SiloLanes> silos)
    {
        var held = new Dictionary<RunKey, int>();
        foreach (var silo in silos)
        {
            foreach (var (run, lanes) in silo.Held) held[run] = held.GetValueOrDefault(run) + lanes;
        }

        return held;
    }

    private sealed class Waiting
    {
        private readonly int _threads;
        private readonly (bool CanTrain, int Share, int Members, bool IsBusy)[] _silos;
        private int _lanesHeld;

        public Waiting(ActiveRun run, SiloLanes[] silos, int lanesHeld)
        {
            (Run, _threads, Members, _lanesHeld) = (run, run.Threads!.Value, run.Waiting, lanesHeld);
            var (can, members) = (Array.ConvertAll(silos, silo => run.CanTrainOn(silo.Report)), run.MembersBySilo());
            var lanes = silos.Where((_, silo) => can[silo]).Sum(silo => silo.Report.Lanes);
            _silos = [.. silos.Select((silo, i) => (
                can[i], can[i] ? ShareOf(run, silo.Report, lanes) : 0, members.GetValueOrDefault(silo.Report.Endpoint) + run.OfferedOn(silo.Report), silo.HeldBy(run.Run) > 0))];
        }

        public ActiveRun Run { get; }

        /// <summary>Those that have no lane yet.</summary>
        public int Members { get; private set; }

        /// <summary>The lanes that it holds, for its priority.</summary>
        public double Share => PerPriority(_lanesHeld, Run);

        /// <returns>-1 if there is no place.</returns>
        public int Choose(Room[] room)
        {
            // A silo that has its share of the run leaves the rest to a silo that has not, if that one is busy with the same run and
            // so will be free for it: equal silos train equally many members, also when one is a little faster.
            // Of members that take different times the longest come first, and a lane that is free takes the next.
            var kept = 0;
            if (Run.Status!.AreAlike) foreach (var silo in _silos) if (silo.IsBusy) kept += Math.Max(0, silo.Share - silo.Members);
            var best = -1;
            for (var i = 0; i < _silos.Length; i++)
            {
                if (!_silos[i].CanTrain || room[i].Free < _threads || (HasShare(i) && Members <= kept)) continue;
                if (best < 0 || (HasShare(i), room[i].Members).CompareTo((HasShare(best), room[best].Members)) < 0) best = i;
            }

            return best;
        }

        public void Take(int place, Room[] room)
        {
            room[place] = new Room(room[place].Free - _threads, room[place].Members + 1);
            var silo = _silos[place];
            _silos[place] = silo with { Members = silo.Members + 1, IsBusy = true };
            (_lanesHeld, Members) = (_lanesHeld + _threads, Members - 1);
        }

        private bool HasShare(int silo) => _silos[silo].Members >= _silos[silo].Share;
    }

    private sealed record Use(ActiveRun Run, MemberAttempt Attempt, int Lanes);

    private readonly record struct Room(int Free, int Members);

    private static bool IsReady(ActiveRun run) => run.Waiting > 0 && run.Threads is not null;

    /// <summary>What a silo says of its lanes may be of a run that was replaced.</summary>
    private static bool IsTraining(ActiveRun run, MemberAttempt attempt) => run.Status!.IsTraining(attempt);

    /// <summary>A silo's share of the run's members, in proportion to its lanes.</summary>
    /// <param name="lanes">Of all silos that can train it.</param>
    private static int ShareOf(ActiveRun run, SiloReport silo, int lanes) =>
        (int)Math.Ceiling((double)run.Status!.Attempts.Length * silo.Lanes / Math.Max(1, lanes));

    private static double LoadWith(SiloLanes silo, int lanes) => (double)(silo.Used + lanes) / silo.Report.Lanes;
}

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
        ActiveRun[] ready = [.. runs.Where(IsReady)];
        if (ready.Length == 0 || silos.Count == 0) yield break;
        SiloLanes[] ordered = [.. silos.OrderBy(silo => silo.Report.Silo, StringComparer.Ordinal)];
        var room = Array.ConvertAll(ordered, silo => new Room(silo.Free, silo.Members));
        var waiting = Array.ConvertAll(ready, run => new Waiting(run, ordered, HeldBy(run))).ToList();
        // As a rule all lanes are busy while members wait, or one has just become free: it ends with the last lane, not with the last run.
        var fewest = ready.Min(run => run.Threads);
        while (room.Max(silo => silo.Free) >= fewest && waiting.MinBy(run => (run.Share, run.Run.LastOffer)) is { } poorest)
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
        Holder[] poorest = [.. runs.Where(IsReady).Select(Holds).OrderBy(run => run.Share).ThenBy(run => run.Run.LastOffer)];
        if (poorest.Length == 0) return null;
        Holder[] richest = [.. runs.Where(run => run.Status is { State: RunState.Running } && HeldBy(run) > 0).Select(Holds).OrderByDescending(run => run.Share)];
        SiloLanes[] fullest = [.. silos.OrderByDescending(silo => silo.Used)];
        var choice =
            from poor in poorest
            from rich in richest
            where Gives(rich, poor)
            from silo in fullest
            where silo.HeldBy(rich.Run.Run) > 0 && poor.Run.CanTrainOn(silo.Report)
            select Last(silo, rich.Run, poor.Run.Threads!.Value - silo.Free) is { } attempt ? ((ActiveRun, MemberAttempt)?)(rich.Run, attempt) : null;
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

    private static bool Gives(Holder rich, Holder poor)
    {
        if (rich.Run.Threads is not { } given || poor.Run.Threads is not { } taken) return false;
        var (kept, got) = (rich.Lanes - given, poor.Lanes + taken);
        return PerPriority(kept, rich.Run) >= PerPriority(got, poor.Run) || (poor.Lanes == 0 && kept >= got);
    }

    private Holder Holds(ActiveRun run) => new(run, HeldBy(run));

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

    private sealed class Waiting(ActiveRun run, SiloLanes[] silos, int lanesHeld)
    {
        private readonly int _threads = run.Threads!.Value;
        private int _lanesHeld = lanesHeld;

        /// <summary>Of those whose turn does not come, nobody asks.</summary>
        private (bool CanTrain, int Share, int Members, bool IsBusy)[] Silos => field ??= See();

        public ActiveRun Run => run;

        /// <summary>Those that have no lane yet.</summary>
        public int Members { get; private set; } = run.Waiting;

        /// <summary>The lanes that it holds, for its priority.</summary>
        public double Share => PerPriority(_lanesHeld, Run);

        /// <returns>-1 if there is no place.</returns>
        public int Choose(Room[] room)
        {
            // A silo that has its share of the run leaves the rest to a silo that has not, if that one is busy with the same run and
            // so will be free for it: equal silos train equally many members, also when one is a little faster.
            // Of members that take different times the longest come first, and a lane that is free takes the next.
            var kept = 0;
            if (Run.Status!.AreAlike) foreach (var silo in Silos) if (silo.IsBusy) kept += Math.Max(0, silo.Share - silo.Members);
            var best = -1;
            for (var i = 0; i < Silos.Length; i++)
            {
                if (!Silos[i].CanTrain || room[i].Free < _threads || (HasShare(i) && Members <= kept)) continue;
                if (best < 0 || (HasShare(i), room[i].Members).CompareTo((HasShare(best), room[best].Members)) < 0) best = i;
            }

            return best;
        }

        public void Take(int place, Room[] room)
        {
            room[place] = new Room(room[place].Free - _threads, room[place].Members + 1);
            var silo = Silos[place];
            Silos[place] = silo with { Members = silo.Members + 1, IsBusy = true };
            (_lanesHeld, Members) = (_lanesHeld + _threads, Members - 1);
        }

        private (bool, int, int, bool)[] See()
        {
            var (can, members) = (Array.ConvertAll(silos, silo => run.CanTrainOn(silo.Report)), run.MembersBySilo());
            var lanes = silos.Where((_, silo) => can[silo]).Sum(silo => silo.Report.Lanes);
            return [.. silos.Select((silo, i) => (
                can[i], can[i] ? ShareOf(run, silo.Report, lanes) : 0, members.GetValueOrDefault(silo.Report.Endpoint) + run.OfferedOn(silo.Report), silo.HeldBy(run.Run) > 0))];
        }

        private bool HasShare(int silo) => Silos[silo].Members >= Silos[silo].Share;
    }

    /// <summary>A run with the lanes that it holds.</summary>
    private sealed record Holder(ActiveRun Run, int Lanes)
    {
        public double Share { get; } = PerPriority(Lanes, Run);
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

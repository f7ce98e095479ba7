using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>Which member goes where: a function of what runs and silos said of themselves.</summary>
internal static class Placement
{
    /// <returns>Null if no member waits, or none can be placed.</returns>
    public static (ActiveRun Run, SiloReport Silo)? Next(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloReport> silos) =>
        All(runs, silos).Select(next => ((ActiveRun, SiloReport)?)next).FirstOrDefault();

    /// <summary>One member after another: the next of the run that holds the fewest lanes, to the silo that has the fewest members.</summary>
    public static IEnumerable<(ActiveRun Run, SiloReport Silo)> All(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloReport> silos)
    {
        if (!runs.Any(IsReady)) yield break;
        SiloReport[] ordered = [.. silos.OrderBy(silo => silo.Silo, StringComparer.Ordinal)];
        var room = ordered.Select(silo => new Room(Free(silo), silo.Uses.Length)).ToArray();
        var waiting = runs.Where(IsReady).Select(run => new Waiting(run, ordered, Held(run, silos))).ToList();
        while (waiting.MinBy(run => run.LanesHeld) is { } poorest)
        {
            var place = poorest.Choose(room);
            if (place >= 0)
            {
                poorest.Take(place, room);
                yield return (poorest.Run, ordered[place]);
            }

            // Places become fewer, never more.
            if (place < 0 || poorest.Members == 0) waiting.Remove(poorest);
        }
    }

    /// <summary>A member whose going from a silo to another, which has a free lane, makes their numbers of members more equal.</summary>
    public static (ActiveRun Run, MemberAttempt Attempt)? Move(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloReport> silos)
    {
        if (runs.Any(run => run.Status is null || run.Waiting > 0)) return null;
        // The most that a silo has, and the least that one would have with one lane more.
        var (most, least) = (silos.Select(Load).DefaultIfEmpty().Max(), silos.Where(silo => Free(silo) > 0).Select(silo => (Used(silo) + 1.0) / silo.Lanes).DefaultIfEmpty(1).Min());
        if (least >= most) return null;
        var choice =
            from source in silos
            from target in silos
            where source.Lanes > 0 && Load(source) > Load(target)
            from use in source.Uses
            // A move that only swaps the two would go on for ever.
            where Free(target) >= use.Lanes && (double)(Used(target) + use.Lanes) / target.Lanes < Load(source)
            let run = runs.FirstOrDefault(run => run.Run == use.Run)
            where run is not null && run.Status!.State == RunState.Running && run.CanTrainOn(target) && IsTraining(run, use.Attempt)
            orderby Load(source) descending, Load(target), use.Attempt.Member
            select ((ActiveRun, MemberAttempt)?)(run, use.Attempt);
        return choice.FirstOrDefault();
    }

    /// <summary>
    /// A member of the run that holds the most lanes, which leaves them to a run that has members waiting and holds fewer. Never
    /// to and fro: the one that gives still holds as many as the one that gets.
    /// </summary>
    public static (ActiveRun Run, MemberAttempt Attempt)? Share(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloReport> silos)
    {
        var choice =
            from poor in runs
            where IsReady(poor)
            let held = Held(poor, silos)
            from rich in runs
            where rich.Status is { State: RunState.Running } && Held(rich, silos) - rich.Threads >= held + poor.Threads
            from silo in silos
            where poor.CanTrainOn(silo)
            from use in silo.Uses
            where use.Run == rich.Run && Free(silo) + use.Lanes >= poor.Threads && IsTraining(rich, use.Attempt)
            orderby held, Held(rich, silos) descending, Used(silo) descending, use.Attempt.Member descending
            select ((ActiveRun, MemberAttempt)?)(rich, use.Attempt);
        return choice.FirstOrDefault();
    }

    private sealed class Waiting
    {
        private readonly int _threads;
        private readonly (bool CanTrain, int Share, int Members, bool IsBusy)[] _silos;

        public Waiting(ActiveRun run, SiloReport[] silos, int lanesHeld)
        {
            (Run, _threads, Members, LanesHeld) = (run, run.Threads!.Value, run.Waiting, lanesHeld);
            var lanes = silos.Where(run.CanTrainOn).Sum(silo => silo.Lanes);
            _silos = [.. silos.Select(silo => (
                run.CanTrainOn(silo), ShareOf(run, silo, lanes), run.MembersOn(silo), silo.Uses.Any(use => use.Run == run.Run)))];
        }

        public ActiveRun Run { get; }

        /// <summary>Those that have no lane yet.</summary>
        public int Members { get; private set; }

        public int LanesHeld { get; private set; }

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
            (LanesHeld, Members) = (LanesHeld + _threads, Members - 1);
        }

        private bool HasShare(int silo) => _silos[silo].Members >= _silos[silo].Share;
    }

    private static bool IsReady(ActiveRun run) => run.Waiting > 0 && run.Threads is not null;

    private readonly record struct Room(int Free, int Members);

    private static int Held(ActiveRun run, IReadOnlyList<SiloReport> silos) =>
        silos.Sum(silo => silo.Uses.Where(use => use.Run == run.Run).Sum(use => use.Lanes));

    /// <summary>What a silo says of its lanes may be of a run that was replaced.</summary>
    private static bool IsTraining(ActiveRun run, MemberAttempt attempt) => run.Status!.IsTraining(attempt);

    /// <summary>A silo's share of the run's members, in proportion to its lanes.</summary>
    /// <param name="lanes">Of all silos that can train it.</param>
    private static int ShareOf(ActiveRun run, SiloReport silo, int lanes) =>
        run.CanTrainOn(silo) ? (int)Math.Ceiling((double)run.Status!.Attempts.Length * silo.Lanes / Math.Max(1, lanes)) : 0;

    private static int Used(SiloReport silo) => silo.Uses.Sum(use => use.Lanes);

    private static int Free(SiloReport silo) => silo.Lanes - Used(silo);

    private static double Load(SiloReport silo) => silo.Lanes == 0 ? 0 : (double)Used(silo) / silo.Lanes;
}

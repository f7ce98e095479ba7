namespace DistributedEnsemble.Grains;

/// <summary>Which member goes where: a function of what runs and silos said of themselves.</summary>
internal static class Placement
{
    /// <returns>Null if no member waits, or none can be placed.</returns>
    public static (ActiveRun Run, SiloReport Silo)? Next(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloReport> silos)
    {
        var choice =
            from run in runs
            where run.Waiting > 0 && run.Threads is not null
            let lanesHeld = Held(run, silos)
            from silo in silos
            where Free(silo) >= run.Threads && run.CanTrainOn(silo) && !IsKeptForAnother(run, silo, silos)
            orderby lanesHeld, run.MembersOn(silo) >= ShareOf(run, silo, silos), silo.Uses.Length, silo.Silo
            select ((ActiveRun, SiloReport)?)(run, silo);
        return choice.FirstOrDefault();
    }

    /// <summary>A member whose going from a silo to another, which has a free lane, makes their numbers of members more equal.</summary>
    public static (ActiveRun Run, MemberAttempt Attempt)? Move(IReadOnlyList<ActiveRun> runs, IReadOnlyList<SiloReport> silos)
    {
        if (runs.Any(run => run.Status is null || run.Waiting > 0)) return null;
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
            where poor.Waiting > 0 && poor.Threads is not null
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

    private static int Held(ActiveRun run, IReadOnlyList<SiloReport> silos) =>
        silos.Sum(silo => silo.Uses.Where(use => use.Run == run.Run).Sum(use => use.Lanes));

    /// <summary>What a silo says of its lanes may be of a run that was replaced.</summary>
    private static bool IsTraining(ActiveRun run, MemberAttempt attempt) =>
        attempt.Member >= 0 && attempt.Member < run.Status!.Members.Length
        && run.Status.Members[attempt.Member] is { State: MemberState.Training } member && member.Attempt == attempt.Attempt;

    /// <summary>
    /// A silo that has its share of the run leaves the rest to a silo that has not, if that one is busy with the same run and
    /// so will be free for it: equal silos train equally many members, also when one is a little faster.
    /// </summary>
    private static bool IsKeptForAnother(ActiveRun run, SiloReport silo, IReadOnlyList<SiloReport> silos) =>
        run.MembersOn(silo) >= ShareOf(run, silo, silos)
        && run.Waiting <= silos.Where(other => other.Uses.Any(use => use.Run == run.Run))
            .Sum(other => Math.Max(0, ShareOf(run, other, silos) - run.MembersOn(other)));

    /// <summary>A silo's share of the run's members, in proportion to its lanes.</summary>
    private static int ShareOf(ActiveRun run, SiloReport silo, IReadOnlyList<SiloReport> silos)
    {
        if (!run.CanTrainOn(silo)) return 0;
        var lanes = silos.Where(run.CanTrainOn).Sum(other => other.Lanes);
        return (int)Math.Ceiling((double)run.Status!.Members.Length * silo.Lanes / Math.Max(1, lanes));
    }

    private static int Used(SiloReport silo) => silo.Uses.Sum(use => use.Lanes);

    private static int Free(SiloReport silo) => silo.Lanes - Used(silo);

    private static double Load(SiloReport silo) => silo.Lanes == 0 ? 0 : (double)Used(silo) / silo.Lanes;
}

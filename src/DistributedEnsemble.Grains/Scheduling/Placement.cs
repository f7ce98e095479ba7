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
            let lanesHeld = silos.Sum(silo => silo.Uses.Where(use => use.Run == run.Run).Sum(use => use.Lanes))
            from silo in silos
            where Free(silo) >= run.Threads && run.CanTrainOn(silo) && !IsKeptForAnother(run, silo, silos)
            orderby lanesHeld, run.MembersOn(silo) >= Share(run, silo, silos), silo.Uses.Length, silo.Silo
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
            // What a silo says of its lanes may be of a run that was replaced.
            where run?.Status is { State: RunState.Running } status && use.Attempt.Member < status.Members.Length && run.CanTrainOn(target)
            let member = run.Status!.Members[use.Attempt.Member]
            where member.State == MemberState.Training && member.Attempt == use.Attempt.Attempt
            orderby Load(source) descending, Load(target), use.Attempt.Member
            select ((ActiveRun, MemberAttempt)?)(run, use.Attempt);
        return choice.FirstOrDefault();
    }

    /// <summary>
    /// A silo that has its share of the run leaves the rest to a silo that has not, if that one is busy with the same run and
    /// so will be free for it: equal silos train equally many members, also when one is a little faster.
    /// </summary>
    private static bool IsKeptForAnother(ActiveRun run, SiloReport silo, IReadOnlyList<SiloReport> silos) =>
        run.MembersOn(silo) >= Share(run, silo, silos)
        && run.Waiting <= silos.Where(other => other.Uses.Any(use => use.Run == run.Run))
            .Sum(other => Math.Max(0, Share(run, other, silos) - run.MembersOn(other)));

    /// <summary>A silo's share of the run's members, in proportion to its lanes.</summary>
    private static int Share(ActiveRun run, SiloReport silo, IReadOnlyList<SiloReport> silos)
    {
        if (!run.CanTrainOn(silo)) return 0;
        var lanes = silos.Where(run.CanTrainOn).Sum(other => other.Lanes);
        return (int)Math.Ceiling((double)run.Status!.Members.Length * silo.Lanes / Math.Max(1, lanes));
    }

    private static int Used(SiloReport silo) => silo.Uses.Sum(use => use.Lanes);

    private static int Free(SiloReport silo) => silo.Lanes - Used(silo);

    private static double Load(SiloReport silo) => silo.Lanes == 0 ? 0 : (double)Used(silo) / silo.Lanes;
}

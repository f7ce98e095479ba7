using System.Collections.Immutable;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>What a silo says of itself, and the ways in which it ends.</summary>
internal static class Silo
{
    private static readonly MachineInfo s_machine = new("cpu", "avx2", "2.10");

    public static Process Start(World world, IReadOnlyList<SimulatedRun> runs, int lanes)
    {
        var silo = world.Start(lanes);
        silo.Every(1000, () =>
        {
            Announce(world, silo);
            Report(world, runs, silo);
            return true;
        });
        Announce(world, silo);
        return silo;
    }

    public static void Announce(World world, Process silo)
    {
        var uses = silo.Works.Select(work => new LaneUse(work.Run, work.Attempt, 1)).ToImmutableArray();
        var report = new SiloReport(silo.Name, silo.Name, silo.Lanes, s_machine, [], uses, [], []);
        world.Tell(silo, SchedulerHost.Grain, scheduler => ((SchedulerHost)scheduler).Apply(new SiloAnnounced(report)));
    }

    /// <summary>Lets its members take checkpoints and leave; then it ends.</summary>
    public static void Leave(World world, Process silo)
    {
        if (silo.IsLeaving) return;
        world.Say($"{silo.Name} leaves");
        silo.IsLeaving = true;
        foreach (var work in silo.Works) work.Stop();
        Announce(world, silo);
        var patience = 20;
        silo.Every(500, () =>
        {
            if (silo.Works.Count > 0 && --patience > 0) return true;
            silo.Kill();
            world.Declare(silo);
            return false;
        });
    }

    private static void Report(World world, IReadOnlyList<SimulatedRun> runs, Process silo)
    {
        foreach (var run in runs)
        {
            ImmutableArray<MemberProgress> progress = [.. silo.Works.Where(work => work.Run == run.Course.Run).Select(work => work.Progress)];
            if (progress.Length > 0) world.Tell(silo, run.Grain, coordinator => ((CoordinatorHost)coordinator).Hear(progress));
        }
    }
}

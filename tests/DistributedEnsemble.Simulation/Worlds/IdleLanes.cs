using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>In a settled world no lane is free for long while a member waits that may run there.</summary>
internal sealed class IdleLanes(World world, IReadOnlyList<SimulatedRun> runs)
{
    private static readonly TimingOptions s_timing = new();

    /// <summary>What was lost in the wild world is given up: an offer, and the call that brought it. Milliseconds.</summary>
    private static readonly double s_settled = s_timing.OfferAnswer.TotalMilliseconds + World.CallTimeout;

    /// <summary>A run that is silent is passed over, and a silo that did not take a member speaks again. Milliseconds.</summary>
    private static readonly double s_longest = (s_timing.RunAnswer + s_timing.FirstReports).TotalMilliseconds;

    private Dictionary<(SimulatedRun Run, int Member, int Attempt, Process Silo, int Taken), long> _since = [];

    public void Look()
    {
        if (world.Now - world.QuietSince < s_settled) return;
        Dictionary<(SimulatedRun, int, int, Process, int), long> seen = [];
        var able = world.Processes.Where(process => process.IsAble).ToList();
        foreach (var run in runs)
        {
            if (run.Store.Record is not { State: RunState.Running, Members: { Waiting: > 0 } members }) continue;
            foreach (var silo in able.Where(silo => silo.Works.Count < silo.Lanes && MayTake(silo, run, members, able)))
            {
                foreach (var member in members.AllWaiting())
                {
                    var pair = (run, member.Index, member.Attempt, silo, silo.Taken);
                    var since = seen[pair] = _since.GetValueOrDefault(pair, world.Now);
                    if (world.Now - since > s_longest) World.Never($"a lane of {silo.Name} is free for {world.Now - since} ms while member {member.Index} of {run.Course.Run.Name} waits");
                }
            }
        }

        _since = seen;
    }

    /// <summary>A silo that has its share leaves the last members to silos that train the run and have less than theirs.</summary>
    private static bool MayTake(Process silo, SimulatedRun run, Grains.Coordination.MemberRecords members, List<Process> able)
    {
        var lanes = able.Sum(other => other.Lanes);
        return Left(silo) > 0 || members.Waiting > able.Where(other => other.Works.Any(work => work.Run == run.Course.Run)).Sum(other => Math.Max(0, Left(other)));

        int Left(Process other) => (int)Math.Ceiling((double)members.Count * other.Lanes / lanes)
            - members.Count(member => member.State != MemberState.Waiting && member.Silo == other.Name);
    }
}

using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>In a settled world a run that holds no lane is given one of a run that holds several, and no member moves for nothing.</summary>
internal sealed class FairShares(World world, IReadOnlyList<SimulatedRun> runs)
{
    /// <summary>For a look, a move before this one, an answer and a call that says so: milliseconds. The step and the checkpoint come on top.</summary>
    private const int Longest = 15_000;

    private Dictionary<SimulatedRun, long> _since = [];

    public void Look()
    {
        if (!IsSettled(world)) return;
        Dictionary<SimulatedRun, long> seen = [];
        foreach (var poor in runs.Where(run => run.Store.Record is { State: RunState.Running, Members.Waiting: > 0 } && Held(run) == 0))
        {
            if (runs.FirstOrDefault(run => run.Store.Record is { State: RunState.Running } && Held(run) >= 2) is not { } rich) continue;
            var since = seen[poor] = _since.GetValueOrDefault(poor, world.Now);
            if (world.Now - since > Longest + (3 * rich.Course.StepTime)) World.Never($"{poor.Course.Run.Name} has no lane for {world.Now - since} ms, and {rich.Course.Run.Name} has {Held(rich)}");
        }

        _since = seen;
    }

    /// <summary>A member that is asked to move, by a scheduler that knows how things are.</summary>
    public static void CheckMove(World world, IReadOnlyList<SimulatedRun> runs, RunKey run, MemberAttempt attempt)
    {
        if (!IsSettled(world) || world.Now - world.LanesChangedAt < 3000 || runs.Any(other => other.Store.Record is { State: RunState.Running, Members.Waiting: > 0 })) return;
        var able = world.Processes.Where(process => process.IsAble).ToList();
        if (able.FirstOrDefault(process => process.Works.Any(work => work.Run == run && work.Attempt == attempt)) is not { } from) return;
        if (!able.Any(to => (double)(to.Works.Count + 1) / to.Lanes < (double)from.Works.Count / from.Lanes)) World.Never($"member {attempt.Member} of {run.Name} is to leave {from.Name}, and all silos train as many");
    }

    /// <summary>What was lost in the wild world is given up.</summary>
    private static bool IsSettled(World world) => !world.IsWild && world.Now - world.QuietSince > 2 * World.CallTimeout;

    private int Held(SimulatedRun run) => world.Processes.Sum(process => process.IsAlive ? process.Works.Count(work => work.Run == run.Course.Run) : 0);
}

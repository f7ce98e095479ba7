using System.Text;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>
/// One history: runs are submitted, things go wrong for a while, then the world stays quiet, and every run must end as if
/// nothing had happened.
/// </summary>
internal sealed class History
{
    private readonly World _world;
    private readonly List<SimulatedRun> _runs = [];
    private readonly bool _isCluster;
    private readonly int _lanes;
    private readonly IdleLanes _idle;
    private readonly FairShares _shares;
    private int _told;
    private long _endedAt, _toldAt;
    private bool _hasEnded;

    private History(ulong seed, Protocol protocol, StringBuilder? log)
    {
        _isCluster = seed % 5 != 0;
        _world = new World(seed, _isCluster, protocol, log) { Activate = Activate };
        (_idle, _shares) = (new IdleLanes(_world, _runs), new FairShares(_world, _runs));
        _lanes = _world.Dice.Between(1, 2);
        // In very long ones a run comes to one that has all lanes.
        var isVeryLong = _isCluster && seed % 64 == 19;
        var runs = isVeryLong || _world.Dice.OneIn(6) ? 2 : 1;
        for (var i = 0; i < runs; i++)
        {
            // Most histories are short, so that there are many; what takes a settled world and members that go on needs long ones.
            var course = new Course(new RunKey($"r{i}", new Guid(i, 0, 0, new byte[8])), ref _world.Dice, seed % 16 == 3 ? 12 : 1, isVeryLong ? 4 : 1, PriorityOf(seed, i));
            _runs.Add(new SimulatedRun(course, new Store(_world, course)));
        }
    }

    /// <summary>In most histories runs weigh the same, in others the first or the second weighs more.</summary>
    private static int PriorityOf(ulong seed, int run) => (seed / 128 % 4, run) is (1, 0) or (2, 1) ? 3 : (seed / 128 % 4, run) is (3, 0) ? 100 : 1;

    /// <summary>Lives through the history of a seed.</summary>
    /// <returns>How many events it had.</returns>
    /// <exception cref="HistoryFailedException">Something happened that must never happen.</exception>
    public static long Live(ulong seed, Protocol protocol, StringBuilder? log = null) => new History(seed, protocol, log).Live();

    private long Live()
    {
        _world.IsWild = true;
        var silos = _isCluster ? _world.Dice.Between(1, 3) : 1;
        for (var i = 0; i < silos; i++) Silo.Start(_world, _runs, _lanes);
        foreach (var run in _runs) _world.After(_world.Dice.Below(run == _runs[0] ? 200 : 3000), () => Submit(run));
        var wildUntil = _world.Dice.Between(1000, 7000);
        for (var events = _world.Dice.Between(1, 5); events > 0; events--) _world.After(_world.Dice.Below(wildUntil), Happen);
        _world.After(wildUntil, Calm);
        var (count, work) = (0L, _runs.Sum(run => (long)run.Course.Members * run.Course.Steps * run.Course.StepTime));
        var limit = wildUntil + (3 * work) + 120_000;
        while (_world.Step())
        {
            count++;
            if (!_hasEnded && !_world.IsWild && _runs.All(HasEnded))
            {
                (_hasEnded, _endedAt) = (true, _world.Now);
                foreach (var run in _runs) AskStatus(run);
            }

            if (_told == _runs.Count && _world.Now > _toldAt + 1000) break;
            if (_world.Now > limit) World.Never($"the world is quiet since {wildUntil} ms, and the run does not end: {string.Join("; ", _runs.Select(run => $"{run.Store.Record}"))}");
        }

        // Whoever was replaced has heard it by now.
        foreach (var left in _world.Processes.SelectMany(process => process.Works)) left.CheckReplaced(World.CallTimeout);
        foreach (var run in _runs)
        {
            foreach (var host in run.Hosts) host.CheckAnswered();
            run.Store.CheckEnd(run.Breaks + run.Store.Restored);
        }

        return count;
    }

    private static bool HasEnded(SimulatedRun run) => run.Store.Record is { State: RunState.Completed or RunState.Degraded or RunState.Failed };

    private IActivation Activate(string grain, Process process) => grain == SchedulerHost.Grain
        ? new SchedulerHost(_world, _runs, process)
        : new CoordinatorHost(_world, _runs.First(run => run.Grain == grain), grain, process);

    private void Submit(SimulatedRun run) => _world.Call(
        _world.Client, run.Grain,
        (coordinator, answer) => ((CoordinatorHost)coordinator).Ask(
            call => new StartCalled(call, CoordinatorHost.Request(run.Course), run.Course.RunAveraging), answer),
        (_, error) =>
        {
            if (error is null) Added(run);
            else _world.After(500, () => Submit(run));
        });

    private void Added(SimulatedRun run) => _world.Tell(_world.Client, SchedulerHost.Grain, scheduler => ((SchedulerHost)scheduler).Apply(new RunAdded(run.Course.Run)));

    private void Stop(SimulatedRun run)
    {
        _world.Say($"{run.Course.Run.Name} is asked to stop");
        _world.Call(_world.Client, run.Grain, (coordinator, answer) => ((CoordinatorHost)coordinator).Ask(call => new StopCalled(call), answer), (_, _) => { });
    }

    private void Resume(SimulatedRun run)
    {
        _world.Say($"{run.Course.Run.Name} is asked to go on");
        _world.Call(_world.Client, run.Grain, (coordinator, answer) => ((CoordinatorHost)coordinator).Ask(call => new ResumeCalled(call), answer), (_, error) =>
        {
            if (error is null) Added(run);
        });
    }

    private void AskStatus(SimulatedRun run) => _world.Call(
        _world.Client, run.Grain, (coordinator, answer) => ((CoordinatorHost)coordinator).AskStatus(answer), (status, _) =>
        {
            // Whoever waits for the end asks until it is told, and whoever lives in the past can say no more.
            if (status is RunStatus { HasEnded: true } && _world.Now > _endedAt + 8000) (_told, _toldAt) = (_told + 1, _world.Now);
            else _world.After(1000, () => AskStatus(run));
        });

    /// <summary>One thing goes wrong, or a user wants something.</summary>
    private void Happen()
    {
        var run = _runs[_world.Dice.Below(_runs.Count)];
        var able = _world.Processes.Where(process => process.IsAble).ToList();
        switch (_world.Dice.Below(_isCluster ? 16 : 8))
        {
            case 0:
                run.Store.IsDiskFull = true;
                _world.Say("the disk is full");
                _world.After(_world.Dice.Between(100, 3000), () => run.Store.IsDiskFull = false);
                break;
            case 1:
                run.Store.Slowness = _world.Dice.Between(100, 1500);
                _world.After(_world.Dice.Between(500, 4000), () => run.Store.Slowness = 10);
                break;
            case 2:
                if (run.Store.Damageable.FirstOrDefault() is { } checkpoint) run.Store.Damage(checkpoint.File);
                break;
            case 3:
                Stop(run);
                if (_world.Dice.OneIn(2)) _world.After(_world.Dice.Between(1, 2000), () => Resume(run));
                break;
            case 4 when !_isCluster: run.IsStopRequested = true; break;
            case 4 or 5 or 6 or 7 when able.Count > 0: Kill(able[_world.Dice.Below(able.Count)]); break;
            case 8 when able.Count > 0: Sleep(able[_world.Dice.Below(able.Count)]); break;
            case 9 when able.Count > 0: Part(able[_world.Dice.Below(able.Count)]); break;
            case 10 when able.Count > 1: Silo.Leave(_world, able[_world.Dice.Below(able.Count)]); break;
            case 11: Silo.Start(_world, _runs, _lanes); break;
            case 12:
                _world.Say("the store is away");
                run.Store.IsAway = true;
                _world.After(_world.Dice.Between(100, 5000), () => run.Store.IsAway = false);
                break;
            case 15: run.Store.Restore(); break;
            case 14 when able.Count > 0:
                _world.Say("a clock jumps");
                able[_world.Dice.Below(able.Count)].Ahead += _world.Dice.Between(500, 60_000);
                break;
            case 13:
                // Membership in change: a grain comes to be twice.
                _world.Forget(_world.Dice.OneIn(3) ? SchedulerHost.Grain : run.Grain);
                break;
        }
    }

    private void Kill(Process process)
    {
        process.Kill();
        if (_isCluster)
        {
            _world.After(_world.Dice.Between(800, 3500), () => _world.Declare(process));
            _world.After(_world.Dice.Between(300, 4000), () => Silo.Start(_world, _runs, _lanes));
            return;
        }

        // The next process takes the run over.
        _world.Declare(process);
        _world.After(_world.Dice.Between(300, 1000), () =>
        {
            if (_world.Processes.All(other => !other.IsAlive)) Silo.Start(_world, _runs, _lanes);
            foreach (var run in _runs.Where(run => run.Store.Record is not null)) Resume(run);
        });
    }

    private void Sleep(Process process)
    {
        process.Pause();
        var time = _world.Dice.Between(100, 9000);
        Miss(process, time);
        _world.After(time, () =>
        {
            process.Continue();
            Notice(process);
        });
    }

    private void Part(Process process)
    {
        _world.Say($"{process.Name} is cut off");
        (process.IsCut, process.IsCutFromStore) = (true, _world.Dice.OneIn(2));
        var time = _world.Dice.Between(100, 9000);
        Miss(process, time);
        _world.After(time, () =>
        {
            process.Join();
            _world.ShareViews();
            Notice(process);
        });
    }

    /// <summary>The others call it dead, if there are others.</summary>
    private void Miss(Process process, int time)
    {
        var patience = _world.Dice.Between(1500, 3500);
        if (patience > time) return;
        _world.After(patience, () =>
        {
            if (_world.Processes.Any(other => other != process && other is { IsAlive: true, IsPaused: false, IsCut: false, IsDeclaredDead: false })) _world.Declare(process);
        });
    }

    /// <summary>A process that learns that it was called dead ends, and another one is started; until then it goes on.</summary>
    private void Notice(Process process) => _world.After(_world.Dice.Between(20, 3000), () =>
    {
        if (!process.IsDeclaredDead || !process.IsAlive) return;
        process.Kill();
        _world.After(_world.Dice.Between(300, 2000), () => Silo.Start(_world, _runs, _lanes));
    });

    private void Calm()
    {
        _world.Say("the world is quiet");
        (_world.IsWild, _world.QuietSince) = (false, _world.Now);
        foreach (var run in _runs) (run.Store.IsDiskFull, run.Store.IsAway, run.Store.Slowness) = (false, false, 10);
        foreach (var process in _world.Processes.Where(process => process.IsAlive).ToList())
        {
            process.Join();
            process.Continue();
            if (process.IsDeclaredDead) Notice(process);
        }

        _world.ShareViews();

        if (_world.Processes.All(process => !process.IsAlive || process.IsDeclaredDead || process.IsLeaving)) Silo.Start(_world, _runs, _lanes);
        Watch();
    }

    /// <summary>Whoever runs it lets a paused run go on; and lanes are not idle while members wait.</summary>
    private void Watch()
    {
        foreach (var run in _runs)
        {
            if (run.Store.Record is { State: RunState.Paused }) Resume(run);
            else if (!_isCluster && run.Store.Record is { State: RunState.Running } && !_world.Processes.Any(process => process.Works.Any(work => work.Run == run.Course.Run))) Resume(run);
        }

        _idle.Look();
        _shares.Look();
        if (!_runs.All(HasEnded)) _world.After(2000, Watch);
    }
}

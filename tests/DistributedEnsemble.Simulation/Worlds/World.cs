using System.Text;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>
/// Time, chance, processes, the network between them and the cluster's membership. Everything happens in the order of one
/// queue, so that a seed gives one history.
/// </summary>
internal sealed class World
{
    public const int CallTimeout = 8000;

    private readonly PriorityQueue<Action, (long At, long Number)> _queue = new();
    private readonly Dictionary<string, IActivation> _directory = [];
    private readonly List<Process> _processes = [];
    private long _events;

    public World(ulong seed, bool isCluster, Protocol protocol, StringBuilder? log)
    {
        (Dice, IsCluster, Protocol, Log) = (new Dice(seed), isCluster, protocol, log);
        Client = new Process(this, "client", 0);
    }

    public Dice Dice;

    public bool IsCluster { get; }
    public Protocol Protocol { get; }
    public StringBuilder? Log { get; }

    /// <summary>Milliseconds since the beginning.</summary>
    public long Now { get; private set; }

    /// <summary>Whether things go wrong now.</summary>
    public bool IsWild { get; set; }

    /// <summary>When a member last came to a lane, or left it: milliseconds.</summary>
    public long LanesChangedAt { get; set; }

    /// <summary>When the world became quiet: milliseconds.</summary>
    public long QuietSince { get; set; }

    /// <summary>Whoever uses the cluster from outside.</summary>
    public Process Client { get; }

    public IReadOnlyList<Process> Processes => _processes;

    /// <summary>Makes an activation of a grain on a process.</summary>
    public required Func<string, Process, IActivation> Activate { get; init; }

    public bool Step()
    {
        if (!_queue.TryDequeue(out var action, out var when)) return false;
        Now = when.At;
        action();
        return true;
    }

    public void After(long milliseconds, Action action) => _queue.Enqueue(action, (Now + milliseconds, _events++));

    public void Say(string what) => Log?.Append(Now).Append(' ').Append(what).Append('\n');

    public static void Never(string what) => throw new HistoryFailedException(what);

    public Process Start(int lanes)
    {
        var process = new Process(this, $"s{_processes.Count}", lanes);
        _processes.Add(process);
        ShareViews();
        Say($"{process.Name} starts with {lanes} lanes");
        return process;
    }

    /// <summary>Carries a message: it may be lost, late, or come twice.</summary>
    public void Post(Process from, Process to, Action deliver)
    {
        // Within a process nothing is lost; a driver of its own lives in it.
        if (from == to || !IsCluster)
        {
            to.After(0, deliver);
            return;
        }

        var (copies, delay) = (1, Dice.Between(1, 8));
        if (IsWild)
        {
            switch (Dice.Below(40))
            {
                case 0: copies = 0; break;
                case 1: copies = 2; break;
                case 2: delay += Dice.Below(3000); break;
                case 3: delay += Dice.Below(CallTimeout * 2); break;
            }
        }

        for (; copies > 0; copies--)
        {
            After(copies == 2 ? delay + Dice.Below(4000) : delay, () =>
            {
                if (from.IsCut == to.IsCut) to.Run(deliver);
            });
        }
    }

    /// <summary>Calls a grain, wherever the caller's side of the cluster has it; the answer may come from a call that timed out for others.</summary>
    public void Call(Process from, string grain, Action<IActivation, Action<object?, Exception?>> ask, Action<object?, Exception?> done)
    {
        var isOpen = true;
        from.After(CallTimeout, () => Close(null, Faults.TimedOut));
        if (Find(grain, from) is { } target)
        {
            Post(from, target.Process, () => target.Receive(() => ask(target, (answer, error) => Post(target.Process, from, () => Close(answer, error)))));
        }

        void Close(object? answer, Exception? error)
        {
            if (!isOpen) return;
            isOpen = false;
            done(answer, error);
        }
    }

    public void Tell(Process from, string grain, Action<IActivation> tell)
    {
        if (Find(grain, from) is { } target) Post(from, target.Process, () => target.Receive(() => tell(target)));
    }

    /// <summary>The activation is no longer the one that new messages find.</summary>
    public void Forget(string grain, IActivation activation)
    {
        if (_directory.GetValueOrDefault(grain) == activation) _directory.Remove(grain);
    }

    public void Forget(string grain) => _directory.Remove(grain);

    /// <summary>The others call it dead, whether or not it is: what it had comes to be elsewhere.</summary>
    public void Declare(Process dead)
    {
        if (dead.IsDeclaredDead) return;
        Say($"{dead.Name} is declared dead");
        dead.IsDeclaredDead = true;
        foreach (var grain in _directory.Where(entry => entry.Value.Process == dead).Select(entry => entry.Key).ToList()) _directory.Remove(grain);
        ShareViews();
    }

    private IActivation? Find(string grain, Process from)
    {
        // Whoever was declared dead and has not noticed talks with what it has.
        if (from.IsDeclaredDead) return from.Own(grain);
        if (_directory.GetValueOrDefault(grain) is { } known) return known;
        var able = _processes.Where(process => process is { IsAlive: true, IsDeclaredDead: false, IsLeaving: false } && process.IsCut == from.IsCut).ToList();
        if (able.Count == 0) return null;
        var activation = Activate(grain, able[Dice.Below(able.Count)]);
        _directory[grain] = activation;
        return activation;
    }

    /// <summary>Those whom the network reaches learn who is there.</summary>
    public void ShareViews()
    {
        var active = _processes.Where(process => !process.IsDeclaredDead).ToList();
        foreach (var process in active.Where(process => !process.IsCut)) process.View = [.. active.Select(other => other.Name)];
    }
}

/// <summary>An activation of a grain.</summary>
internal interface IActivation
{
    Process Process { get; }

    /// <summary>Runs when it is activated.</summary>
    void Receive(Action deliver);
}

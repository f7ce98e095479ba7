using System.Collections.Immutable;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>A process of the cluster: a silo with lanes, which may be paused, cut off or killed.</summary>
internal sealed class Process(World world, string name, int lanes)
{
    private readonly List<Action> _held = [];
    private readonly Dictionary<string, IActivation> _own = [];

    public string Name => name;
    public bool IsAlive { get; private set; } = true;
    public bool IsPaused { get; private set; }

    /// <summary>Whether the network parts it from all others.</summary>
    public bool IsCut { get; set; }

    /// <summary>Whether it is parted from the store, too.</summary>
    public bool IsCutFromStore { get; set; }

    /// <summary>Whether the others call it dead.</summary>
    public bool IsDeclaredDead { get; set; }

    /// <summary>Whether it was asked to end, and takes no more work.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>What its clock is ahead by: it goes on while its machine is suspended.</summary>
    public long Ahead { get; set; }

    public TimeSpan Time => new((world.Now + Ahead) * TimeSpan.TicksPerMillisecond);

    public int Lanes => IsLeaving ? 0 : lanes;

    /// <summary>Those that it calls active.</summary>
    public ImmutableArray<string> View { get; set; } = [];

    public List<MemberWork> Works { get; } = [];

    /// <summary>How many members it has taken.</summary>
    public int Taken { get; set; }

    /// <summary>Since when it runs and hears others: milliseconds.</summary>
    public long ReachableSince { get; private set; } = world.Now;

    /// <summary>Whether members may be placed on it, and hear what they are told.</summary>
    public bool IsAble => this is { IsAlive: true, IsPaused: false, IsCut: false, IsLeaving: false, IsDeclaredDead: false };

    /// <summary>Does something on this process, when it runs.</summary>
    public void Run(Action action)
    {
        if (!IsAlive) return;
        if (IsPaused) _held.Add(action);
        else action();
    }

    public void After(long milliseconds, Action action) => world.After(milliseconds, () => Run(action));

    /// <summary>Does something again and again, as long as <paramref name="action"/> says so.</summary>
    public void Every(long milliseconds, Func<bool> action) => After(milliseconds, () =>
    {
        if (action()) Every(milliseconds, action);
    });

    public void Has(string grain, IActivation activation) => _own[grain] = activation;

    /// <summary>The activation of a grain that this process had last.</summary>
    public IActivation? Own(string grain) => _own.GetValueOrDefault(grain);

    public void Kill()
    {
        if (!IsAlive) return;
        world.Say($"{name} ends");
        (IsAlive, IsPaused) = (false, false);
        _held.Clear();
        Works.Clear();
    }

    /// <summary>The network reaches it again.</summary>
    public void Join()
    {
        if (IsCut) ReachableSince = world.Now;
        (IsCut, IsCutFromStore) = (false, false);
    }

    public void Pause()
    {
        world.Say($"{name} sleeps");
        IsPaused = true;
    }

    public void Continue()
    {
        if (!IsPaused) return;
        world.Say($"{name} wakes up");
        (IsPaused, ReachableSince) = (false, world.Now);
        foreach (var action in _held.ToList()) world.After(0, () => Run(action));
        _held.Clear();
    }
}

/// <summary>What goes wrong, made once: where it happened is in the history.</summary>
internal static class Faults
{
    public static Exception TimedOut { get; } = new TimeoutException("No answer came.");

    public static Exception Away { get; } = new Grains.Stores.RecordsAwayException("The store is away.");

    public static Exception Conflict { get; } = new Orleans.Storage.InconsistentStateException("Somebody else has written.");

    public static Exception DiskFull { get; } = new IOException("No space left on device");

    public static Exception Damaged { get; } = new InvalidDataException("The file is damaged.");

    public static Exception Unforeseen { get; } = new InvalidOperationException("A defect of the product.");

    public static Exception Unknown { get; } = new RunRejectedException("There is no such run.");
}

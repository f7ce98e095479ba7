using System.Collections.Immutable;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Lanes;

/// <summary>What a silo does for one member under one attempt: the work belongs to the silo, not to the grain that brought it.</summary>
internal abstract class LaneWork(RunKey run, MemberAttempt attempt)
{
    public RunKey Run => run;
    public MemberAttempt Attempt => attempt;

    /// <summary>Lanes that it occupies.</summary>
    public abstract int Threads { get; }

    public ImmutableArray<int> LaneNumbers { get; set; }

    /// <summary>Where the training is; null until it has begun.</summary>
    public abstract MemberProgress? Progress { get; }

    /// <summary>Lets the lane take a checkpoint after the current step, and leave.</summary>
    public abstract void Stop();

    /// <summary>Lets the lane leave after the current step. Nothing more of it is recorded.</summary>
    public abstract void Abandon();

    /// <summary>Trains to the end, to a stop, or until another attempt has taken over.</summary>
    /// <param name="thread">Gives it the thread of its first lane.</param>
    /// <param name="yieldCore">Called several times a step, for others to use the lane's core.</param>
    public abstract Task RunAsync(Func<Lane> thread, Action yieldCore);
}

/// <summary>Makes what a silo does for a member.</summary>
internal interface ILaneWorks
{
    LaneWork Create(KnownRun run, Assignment assignment, ICoordinator coordinator);
}

using System.Collections.Immutable;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>All that the scheduler knows: what runs and silos said of themselves, and what it is waiting to hear.</summary>
internal sealed record PlacementState
{
    /// <summary>When this scheduler began.</summary>
    public required TimeSpan Since { get; init; }

    public TimingOptions Timing { get; init; } = new();

    public ImmutableArray<ActiveRun> Runs { get; init; } = [];

    public ImmutableArray<KnownSilo> Silos { get; init; } = [];

    /// <summary>The silos that the cluster's membership calls active.</summary>
    public ImmutableArray<string> Active { get; init; } = [];

    /// <summary>Lanes that are offered to runs, which have not answered yet.</summary>
    public ImmutableArray<Offer> Offers { get; init; } = [];

    public long LastOffer { get; init; }

    /// <summary>Whether something has changed since lanes were last given.</summary>
    public bool IsDue { get; init; }

    /// <summary>The member that was last asked to leave its lane.</summary>
    public Move? Moving { get; init; }

    /// <summary>When it was last looked whether a member is to move.</summary>
    public TimeSpan? LookedAt { get; init; }

    /// <summary>When the store was last asked for runs.</summary>
    public TimeSpan? ListedAt { get; init; }

    public int Unfinished => Runs.Count(run => run.IsUnfinished);

    /// <summary>Lane uses that were looked at so far, one by one: what the decisions cost, whatever machine they are made on.</summary>
    public long Looked { get; init; }

    /// <summary>The silos that members can be placed on; lanes that are offered count as used.</summary>
    public IReadOnlyList<SiloLanes> AliveAt(TimeSpan now)
    {
        var (active, offers) = (Active.ToHashSet(), Offers.ToLookup(offer => offer.Silo));
        return [.. Silos.Where(silo => now - silo.HeardAt < Timing.Silence && active.Contains(silo.Report.Silo))
            .Select(silo => offers[silo.Report.Silo].Aggregate(silo.Lanes, (lanes, offer) => lanes.With(offer)))];
    }
}

internal readonly record struct KnownSilo(SiloLanes Lanes, TimeSpan HeardAt)
{
    public SiloReport Report => Lanes.Report;
}

internal readonly record struct Move(RunKey Run, MemberAttempt Attempt, TimeSpan At);

/// <summary>Lanes of a silo that a run may give to its next members.</summary>
/// <param name="Lanes">For each of the members.</param>
internal readonly record struct Offer(long Number, RunKey Run, string Silo, int Members, int Lanes, TimeSpan At);

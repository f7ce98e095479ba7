using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>Something that happened to the scheduler.</summary>
internal abstract record PlacementEvent;

/// <summary>A silo said what it has and does.</summary>
internal sealed record SiloAnnounced(SiloReport Report) : PlacementEvent;

/// <summary>The cluster's membership has changed.</summary>
internal sealed record MembershipChanged(ImmutableArray<string> Active) : PlacementEvent;

/// <summary>A run began or goes on.</summary>
/// <param name="Members">How many it has; 0 if that is not known yet.</param>
internal sealed record RunAdded(RunKey Run, int Members = 0) : PlacementEvent;

/// <summary>A run has so many members, as its definition says: it was listed, and did not say yet how it is.</summary>
internal sealed record RunCounted(RunKey Run, int Members) : PlacementEvent;

/// <summary>A run's member may be waiting, or the run has ended.</summary>
internal sealed record RunChanged(RunKey Run) : PlacementEvent;

/// <summary>Some time has passed.</summary>
internal sealed record PlacementDue : PlacementEvent;

/// <summary>The end of <see cref="ListRuns"/>: the runs that go on by themselves.</summary>
internal sealed record RunsListed(ImmutableArray<RunKey> Runs) : PlacementEvent;

/// <summary>The end of <see cref="AskRun"/>.</summary>
internal sealed record RunAnswered(RunKey Run, int Threads, string? Dataset, ImmutableArray<string> Networks, string? Task, RunLoad Status, int Priority = 1) : PlacementEvent;

/// <summary>The end of <see cref="AskRun"/>: the run was deleted.</summary>
internal sealed record RunUnknown(RunKey Run) : PlacementEvent;

/// <summary>The end of <see cref="AskRun"/>: whatever is wrong with one run, the others' members get their lanes.</summary>
internal sealed record RunSilent(RunKey Run) : PlacementEvent;

/// <summary>The end of <see cref="OfferLanes"/>.</summary>
/// <param name="Attempts">The members that took them.</param>
internal sealed record OfferAnswered(long Number, ImmutableArray<MemberAttempt> Attempts) : PlacementEvent;

/// <summary>Something that the scheduler shall do.</summary>
internal abstract record PlacementEffect;

/// <summary>Asks a run how it is: that brings a coordinator back whose silo died, and it notices members that died with it.</summary>
internal sealed record AskRun(RunKey Run) : PlacementEffect;

/// <summary>Offers lanes of a silo to a run's next waiting members: all that it gets there at once.</summary>
internal sealed record OfferLanes(long Number, RunKey Run, LaneGrant Grant) : PlacementEffect;

/// <summary>Lets a member leave its lane for another silo.</summary>
internal sealed record MoveMember(RunKey Run, MemberAttempt Attempt) : PlacementEffect;

/// <summary>Says that a silo gets none of a run's members, for want of a network, or of the task.</summary>
internal sealed record SayWhatLacks(RunKey Run, string Silo, string What) : PlacementEffect;

/// <summary>Asks the store for the runs that go on by themselves: the word of a beginning may have been lost, not the run.</summary>
internal sealed record ListRuns : PlacementEffect;

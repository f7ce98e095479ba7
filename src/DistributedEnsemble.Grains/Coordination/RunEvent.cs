using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Something that happened to a run: a call to its coordinator, or how an effect turned out.</summary>
internal abstract record RunEvent;

/// <summary>A call that is answered by <see cref="Reply"/> or <see cref="Refuse"/> with its number.</summary>
internal abstract record RunCall(long Call) : RunEvent;

/// <summary>The coordinator has been activated, and has read its record.</summary>
/// <param name="Record">Null if there is none.</param>
/// <param name="Averaging">What the record's spec says; null if it averages nothing.</param>
/// <param name="IsHeld">Whether the run goes on, and is this process's to train.</param>
internal sealed record Activated(RunRecord? Record, RunAveraging? Averaging, bool IsHeld) : RunEvent;

internal sealed record StartCalled(long Call, RunRequest Request, RunAveraging? Averaging) : RunCall(Call);

internal sealed record ResumeCalled(long Call) : RunCall(Call);

internal sealed record StopCalled(long Call) : RunCall(Call);

internal sealed record DeleteCalled(long Call) : RunCall(Call);

/// <summary>Somebody wants the name, and finds no run.</summary>
internal sealed record VacateCalled(long Call) : RunCall(Call);

/// <param name="Kernels">What the run's network is computed by, which decides whether machines differ.</param>
internal sealed record AssignCalled(long Call, LaneGrant Grant, KernelKind Kernels = KernelKind.Libtorch) : RunCall(Call);

internal sealed record MoveCalled(long Call, MemberAttempt Attempt) : RunCall(Call);

internal sealed record CollectCalled(long Call, HandOver HandOver) : RunCall(Call);

internal sealed record CommitCalled(long Call, Commit Commit) : RunCall(Call);

internal sealed record FailCalled(long Call, MemberFailure Failure) : RunCall(Call);

internal sealed record ReleaseCalled(long Call, MemberAttempt Attempt) : RunCall(Call);

/// <summary>A member's results cannot be stored.</summary>
internal sealed record PauseCalled(long Call, MemberAttempt Attempt, string Reason) : RunCall(Call);

/// <summary>Somebody asks how the run is.</summary>
internal sealed record StatusAsked : RunEvent;

internal sealed record ProgressReported(ImmutableArray<MemberProgress> Progress) : RunEvent;

/// <summary>Some time has passed.</summary>
/// <param name="IsStopRequested">Whether another process has asked for a stop.</param>
/// <param name="DeadSilos">Those of the silos that the record names which the cluster has declared dead.</param>
internal sealed record Ticked(bool IsStopRequested, ImmutableArray<string> DeadSilos) : RunEvent;

/// <summary>The end of <see cref="Claim"/>.</summary>
/// <param name="Error">Why neither this run nor another has the name now; null if one has.</param>
internal sealed record Claimed(long Number, bool IsOurs, StoreError? Error = null) : RunEvent;

/// <summary>The end of <see cref="Vacate"/>.</summary>
internal sealed record Vacated(long Call, bool IsFree, StoreError? Error = null) : RunEvent;

/// <summary>The end of <see cref="TakeOver"/>.</summary>
/// <param name="IsHeld">False if another process has the run.</param>
/// <param name="Record">Null if there is none any more, or it could not be read.</param>
internal sealed record TakenOver(long Number, bool IsHeld, RunRecord? Record, RunAveraging? Averaging, StoreError? Error = null) : RunEvent;

/// <summary>The end of <see cref="WriteDefinition"/>.</summary>
internal sealed record DefinitionWritten(long Number, StoreError? Error = null) : RunEvent;

internal sealed record RecordWritten(long Version) : RunEvent;

internal sealed record RecordNotWritten(long Version, StoreError Error) : RunEvent;

/// <summary>The end of <see cref="ReadRecord"/>.</summary>
/// <param name="Record">Null if it could not be read.</param>
internal sealed record RecordRead(RunRecord? Record) : RunEvent;

/// <summary>The end of <see cref="ClearRecord"/>.</summary>
internal sealed record RecordCleared(long Call, StoreError? Error = null) : RunEvent;

/// <summary>The end of <see cref="CallMember"/>.</summary>
/// <param name="IsSiloGone">Nobody answered: the silo died, perhaps after it had taken the member.</param>
internal sealed record MemberAnswered(long Call, MemberAttempt Attempt, bool IsTaken, bool IsSiloGone = false) : RunEvent;

/// <summary>The end of <see cref="Fold"/>.</summary>
/// <param name="Model">The new EMA model, which is on the disk; null if there is none.</param>
internal sealed record Folded(WeightFile HandOver, WeightFile? Model, StoreError? Error = null) : RunEvent;

/// <summary>The end of <see cref="AppendMetrics"/>.</summary>
internal sealed record MetricsAppended(int Member, string Lines, StoreError? Error = null) : RunEvent;

/// <summary>The end of <see cref="WriteStatus"/>.</summary>
/// <param name="Bytes">How long the file is.</param>
internal sealed record StatusWritten(StoreError? Error = null, long Bytes = 0) : RunEvent;

/// <summary>run.json does not tell of the end that the record has, and no other process has the run.</summary>
internal sealed record EndFoundUntold : RunEvent;

/// <summary>What follows from an event could not be decided, or an effect ended in a way that nobody foresaw: a defect of the product.</summary>
/// <param name="Event">Null if it was an effect.</param>
internal sealed record Faulted(RunEvent? Event, Exception Error) : RunEvent;

using System.Collections.Immutable;
using DistributedEnsemble.Scheduling;
using Orleans.Concurrency;

namespace DistributedEnsemble.Runs;

/// <summary>
/// Guards the record of one run (the key is its <see cref="RunKey"/>): assigns members, collects their snapshots and
/// checkpoints, and knows when the run has ended. A file means nothing until the record names it.
/// </summary>
[Alias("ensemble.coordinator")]
public interface ICoordinator : IGrainWithStringKey
{
    /// <summary>Creates the run's record, or finds the one that this very request created.</summary>
    /// <returns>False if another run has the name.</returns>
    [Alias("start"), SilosOnly]
    Task<bool> StartAsync(RunRequest request);

    /// <summary>Gives back a name under which no run has begun, as where neither its record nor its end could be written.</summary>
    /// <returns>Whether the name is free now; false if there is a run, or one begins, or another has the name.</returns>
    [Alias("vacate"), SilosOnly]
    Task<bool> VacateAsync();

    [Alias("status"), AlwaysInterleave]
    Task<RunStatus> GetStatusAsync();

    /// <summary>Tells the observer for a minute when the run has changed; one that watches longer says so again.</summary>
    [Alias("watch"), AlwaysInterleave]
    Task WatchAsync(IRunObserver observer);

    [Alias("unwatch"), AlwaysInterleave]
    Task UnwatchAsync(IRunObserver observer);

    /// <summary>What the run is made of; the same for its whole life.</summary>
    [Alias("definition"), AlwaysInterleave]
    Task<RunDefinition> GetDefinitionAsync();

    /// <summary>What the scheduler has to know of the run.</summary>
    [Alias("load"), AlwaysInterleave]
    Task<RunLoad> GetLoadAsync();

    /// <summary>Gives the lanes to the next waiting members: raises their attempts in the record, then calls each there.</summary>
    /// <returns>Those that the silo took: fewer if not so many wait, or it did not take them.</returns>
    [Alias("assign-members"), SilosOnly]
    Task<ImmutableArray<MemberAttempt>> AssignAsync(LaneGrant grant);

    /// <summary>Lets the member take a checkpoint, leave its lane, and wait for another.</summary>
    [Alias("move"), SilosOnly]
    Task MoveAsync(MemberAttempt attempt);

    /// <summary>A hand-over of weights. The reply comes when the record names the file.</summary>
    [Alias("collect"), SilosOnly]
    Task<Acknowledgement> CollectAsync(HandOver handOver);

    /// <summary>All that a member needs to go on exactly. The reply comes when the record names the file.</summary>
    [Alias("commit"), SilosOnly]
    Task<Acknowledgement> CommitAsync(Commit commit);

    /// <summary>The member cannot go on.</summary>
    [Alias("fail"), SilosOnly]
    Task<Acknowledgement> FailAsync(MemberFailure failure);

    /// <summary>The member has left its lane before its end, at its last committed checkpoint.</summary>
    [Alias("release"), SilosOnly]
    Task<Acknowledgement> ReleaseAsync(MemberAttempt attempt);

    /// <summary>A member's results cannot be stored: the run pauses, and can be resumed when they can.</summary>
    [Alias("pause"), SilosOnly]
    Task PauseAsync(MemberAttempt attempt, string reason);

    /// <summary>Where the members of one silo are; not durable.</summary>
    [Alias("progress"), AlwaysInterleave, OneWay, SilosOnly]
    Task ReportProgressAsync(ImmutableArray<MemberProgress> progress);

    /// <summary>Lets every lane of the run take a checkpoint and stop; the run is paused then.</summary>
    [Alias("stop")]
    Task StopAsync();

    /// <summary>Lets a paused run go on, also one whose process ended without a word.</summary>
    /// <exception cref="RunRejectedException">It has ended, or is in training, here or in another process.</exception>
    [Alias("resume"), SilosOnly]
    Task ResumeAsync();

    /// <summary>Removes the run of a cluster with all its files.</summary>
    /// <exception cref="RunRejectedException">It is in training.</exception>
    [Alias("delete")]
    Task DeleteAsync();
}

/// <summary>What makes a run.</summary>
/// <param name="Spec">The resolved spec, as JSON.</param>
/// <param name="Data">The description of its data, as JSON: data.json.</param>
/// <param name="Loads">What each member takes, in their order.</param>
/// <param name="Inexact">Why it can not be repeated bit by bit, from the start; null if it can.</param>
[GenerateSerializer, Immutable, Alias("ensemble.run-request")]
public sealed record RunRequest(
    [property: Id(0)] string Spec, [property: Id(1)] string Data, [property: Id(2)] ImmutableArray<MemberLoad> Loads,
    [property: Id(4)] string? Inexact = null);

/// <summary>What a member takes to train.</summary>
/// <param name="Steps">T, the most that it does.</param>
/// <param name="StepCost">What one of its steps takes, estimated; the unit is the same for all members of a run.</param>
[GenerateSerializer, Immutable, Alias("ensemble.member-load")]
public readonly record struct MemberLoad(
    [property: Id(0)] int Steps, [property: Id(1)] int StepsPerEpoch, [property: Id(2)] double StepCost = 1);

/// <summary>What a run is made of.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.run-definition")]
public sealed record RunDefinition([property: Id(0)] string Spec, [property: Id(1)] string Data);

/// <summary>Free lanes of a silo, given to members of a run.</summary>
/// <param name="Silo">The silo's address as Orleans parses it.</param>
/// <param name="Endpoint">The advertised address and port, for people.</param>
/// <param name="Machine">What the silo computes with.</param>
/// <param name="Members">For how many members there are lanes.</param>
[GenerateSerializer, Immutable, Alias("ensemble.lane-grant")]
public sealed record LaneGrant(
    [property: Id(0)] string Silo, [property: Id(1)] string Endpoint, [property: Id(2)] MachineInfo Machine, [property: Id(3)] int Members = 1);

/// <summary>What the scheduler has to know of a run: a few bytes for each member.</summary>
/// <param name="Waiting">Members that wait for a lane.</param>
/// <param name="Attempts">Of each member the attempt that is in training; 0 if none is.</param>
/// <param name="Silos">How many members each silo trains or has trained.</param>
[GenerateSerializer, Immutable, Alias("ensemble.run-load")]
public sealed record RunLoad(
    [property: Id(0)] RunState State, [property: Id(1)] int Waiting, [property: Id(2)] ImmutableArray<int> Attempts,
    [property: Id(3)] ImmutableArray<SiloMembers> Silos)
{
    /// <summary>Whether its members take about the same, so that equal silos can train equally many.</summary>
    [Id(4)] public bool AreAlike { get; init; } = true;

    public bool IsTraining(MemberAttempt attempt) => attempt.Member >= 0 && attempt.Member < Attempts.Length && attempt.Attempt > 0 && Attempts[attempt.Member] == attempt.Attempt;
}

/// <param name="Silo">The advertised address and port.</param>
[GenerateSerializer, Immutable, Alias("ensemble.silo-members")]
public readonly record struct SiloMembers([property: Id(0)] string Silo, [property: Id(1)] int Members);

/// <summary>One assignment of a member: only the current attempt is heard.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.member-attempt")]
public readonly record struct MemberAttempt([property: Id(0)] int Member, [property: Id(1)] int Attempt);

/// <summary>Weights of a member at a step: a snapshot, or input of its EMA model, or both.</summary>
/// <param name="IsSnapshot">Whether they are kept. The best ones of a member that stops early are, when it has stopped.</param>
/// <param name="IsAveraged">Whether they are folded into the EMA model; those of a member are, in order of their steps.</param>
[GenerateSerializer, Immutable, Alias("ensemble.hand-over")]
public sealed record HandOver(
    [property: Id(0)] MemberAttempt By, [property: Id(1)] WeightFile Weights, [property: Id(2)] bool IsSnapshot, [property: Id(3)] bool IsAveraged);

/// <summary>A checkpoint, with the metric lines since the one before.</summary>
/// <param name="Checkpoint">The file; null at the end of training, where the final snapshot is all there is to keep.</param>
/// <param name="Metrics">Lines of metrics.jsonl, each ended by a line feed.</param>
/// <param name="FinalStep">
/// Null before the member's end. Then the step of its final model, a snapshot that was handed over: <paramref name="Step"/>, or
/// an earlier one if it stopped early.
/// </param>
[GenerateSerializer, Immutable, Alias("ensemble.commit")]
public sealed record Commit(
    [property: Id(0)] MemberAttempt By, [property: Id(1)] int Step, [property: Id(2)] WeightFile? Checkpoint,
    [property: Id(3)] string Metrics, [property: Id(4)] int? FinalStep)
{
    /// <summary>Whether <see cref="Step"/> is the member's last.</summary>
    public bool Finished => FinalStep is not null;
}

/// <summary>Why a member cannot go on: one line for people, and the step at which it was.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.member-failure")]
public sealed record MemberFailure([property: Id(0)] MemberAttempt By, [property: Id(1)] int Step, [property: Id(2)] string Reason);

/// <summary>Where a member is, between two commits.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.member-progress")]
public sealed record MemberProgress(
    [property: Id(0)] MemberAttempt By, [property: Id(1)] int Lane, [property: Id(2)] int Step, [property: Id(3)] double? Loss,
    [property: Id(4)] double StepsPerSecond);

/// <summary>The coordinator's answer to a member's work.</summary>
public enum Acknowledgement
{
    /// <summary>The record names it.</summary>
    Recorded,

    /// <summary>The attempt is not the current one: nothing of it is named, and it stops.</summary>
    Superseded,

    /// <summary>The record names it, and the lane shall stop after a checkpoint.</summary>
    Stop,
}

using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using Orleans.Concurrency;

namespace DistributedEnsemble.Scheduling;

/// <summary>Knows the runs, silos and free lanes of a cluster, and gives lanes to members. One per cluster, key "cluster".</summary>
[Alias("ensemble.scheduler")]
public interface IScheduler : IGrainWithStringKey
{
    public const string Key = "cluster";

    /// <summary>Checks a spec against what the cluster has, completes it, and starts the run.</summary>
    /// <exception cref="RunRejectedException">The spec, its data or its name cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The caller gave it up before the run began: there is none.</exception>
    [Alias("submit"), ResponseTimeout(LongCalls.Limit)]
    Task<RunKey> SubmitAsync(Submission submission, CancellationToken cancellationToken = default);

    /// <summary>
    /// How fast the run would go on the lanes of the scheduler's silo, by some seconds of real steps that nothing is kept of.
    /// </summary>
    /// <exception cref="RunRejectedException">The spec, its data or its name cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    [Alias("measure"), ResponseTimeout(LongCalls.Limit)]
    Task<TrainingPace> MeasureAsync(Submission submission, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets a paused run go on, exactly where its record says; also one whose process ended without a word, whose record still
    /// says running. A run that is known by name only is found by <see cref="FindAsync"/> first.
    /// </summary>
    /// <exception cref="RunRejectedException">
    /// The run has ended, is in training (here or in another process), or its data is missing or has changed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller gave it up before the run went on: it is as it was.</exception>
    [Alias("resume"), ResponseTimeout(LongCalls.Limit)]
    Task ResumeAsync(RunKey run, CancellationToken cancellationToken = default);

    /// <summary>The run of that name in the store, whether or not this cluster has had to do with it; null if there is none.</summary>
    /// <exception cref="InvalidDataException">Its record is damaged.</exception>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    [Alias("find")]
    Task<RunKey?> FindAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>The runs that wait or train.</summary>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    [Alias("list")]
    Task<ImmutableArray<RunKey>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>A page of the store's runs, by name.</summary>
    /// <param name="after">The last name of the page before; null for the first page.</param>
    /// <returns>None after the last page.</returns>
    /// <exception cref="OperationCanceledException">The caller gave it up: no more files are read for it.</exception>
    [Alias("list-all")]
    Task<ImmutableArray<RunKey>> ListAllAsync(string? after = null, CancellationToken cancellationToken = default);

    /// <summary>What a silo has and does; sent when that changes, and every few seconds.</summary>
    [Alias("announce"), AlwaysInterleave]
    Task AnnounceAsync(SiloReport report);

    /// <summary>A member of the run may be waiting, or the run has ended.</summary>
    [Alias("changed"), AlwaysInterleave, OneWay, SilosOnly]
    Task RunChangedAsync(RunKey run);
}

/// <summary>A run to be.</summary>
/// <param name="Spec">The spec as its author wrote it, flags included: JSON with the keys that differ from the defaults.</param>
[GenerateSerializer, Immutable, Alias("ensemble.submission")]
public sealed record Submission([property: Id(0)] string Spec)
{
    /// <summary>
    /// Whether the spec may name files of the scheduler's machine as its data, where the silo reads such: never what came over a
    /// network.
    /// </summary>
    [Id(1)] public bool NamesPaths { get; init; }
}

/// <summary>What a silo has and does.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.silo-report")]
public sealed record SiloReport(
    [property: Id(0)] string Silo, [property: Id(1)] string Endpoint, [property: Id(2)] int Lanes,
    [property: Id(3)] MachineInfo Machine, [property: Id(4)] ImmutableArray<string> Datasets,
    [property: Id(5)] ImmutableArray<LaneUse> Uses, [property: Id(6)] ImmutableArray<string> Networks, [property: Id(7)] ImmutableArray<string> Tasks);

/// <summary>A member on lanes of a silo.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.lane-use")]
public sealed record LaneUse([property: Id(0)] RunKey Run, [property: Id(1)] MemberAttempt Attempt, [property: Id(2)] int Lanes);

/// <summary>A request that cannot be met as it stands; the message is one line for people.</summary>
[GenerateSerializer, Alias("ensemble.run-rejected")]
public sealed class RunRejectedException(string message) : Exception(message)
{
    /// <summary>What helps. How it is done differs between the driver and HTTP, so each says it in its own words.</summary>
    [Id(0)] public RunRemedy Remedy { get; init; }

    /// <summary>The name of the run that the remedy is for.</summary>
    [Id(1)] public string? Run { get; init; }

    /// <summary>Whether the same request can be met later, when others have ended.</summary>
    [Id(2)] public bool IsForNow { get; init; }
}

/// <summary>What whoever was refused can do about it.</summary>
public enum RunRemedy
{
    /// <summary>The message says it.</summary>
    None,
    Watch,
    WatchOrStop,
    StopThenDelete,
    ResumeOrRename,
    DeleteOrRename,
    Evaluate,
}

using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace DistributedEnsemble.Runs;

/// <summary>Where a run is in its life. Degraded: it has ended, and some of its members failed.</summary>
public enum RunState { Queued, Running, Paused, Completed, Degraded, Failed }

/// <summary>Where a member is in its life.</summary>
public enum MemberState { Waiting, Training, Completed, Failed }

/// <summary>A run as people and programs see it: the projection of its record, and the contents of run.json.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.run-status")]
public sealed record RunStatus
{
    /// <summary>The run's name.</summary>
    [Id(0)] public required string Run { get; init; }
    [Id(1)] public required Guid Id { get; init; }
    [Id(2)] public required RunState State { get; init; }

    /// <summary>Why the run is paused, degraded or failed; null otherwise.</summary>
    [Id(3)] public string? Reason { get; init; }

    /// <summary>Whether one kind of machine did all of it, so that it can be repeated bit by bit.</summary>
    [Id(4)] public bool Exact { get; init; } = true;

    /// <summary>Steps done, summed over the members.</summary>
    [Id(5)] public long Steps { get; init; }

    /// <summary>Steps to do, summed over the members; of those that have ended, the steps that they did.</summary>
    [Id(6)] public long StepsTotal { get; init; }

    /// <summary>Seconds in which at least one member was in training.</summary>
    [Id(7)] public double TrainSeconds { get; init; }

    /// <summary>Where the weights were computed; null before the first assignment.</summary>
    [Id(8)] public MachineInfo? Machine { get; init; }

    [Id(9)] public ImmutableArray<MemberStatus> Members { get; init; } = [];

    /// <summary>The snapshots in order of step and member; the final model of each member among them.</summary>
    [Id(10)] public ImmutableArray<WeightFile> Snapshots { get; init; } = [];

    [Id(11)] public ImmutableArray<WeightFile> Ema { get; init; } = [];

    /// <summary>Whether nothing can be done with it but to predict.</summary>
    [JsonIgnore]
    public bool HasEnded => State is RunState.Completed or RunState.Degraded or RunState.Failed;

    /// <summary>Whether it stays as it is unless somebody resumes it.</summary>
    [JsonIgnore]
    public bool IsAtRest => HasEnded || State == RunState.Paused;
}

/// <summary>One member of a run.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("ensemble.member-status")]
public sealed record MemberStatus
{
    [Id(0)] public required int Index { get; init; }
    [Id(1)] public required MemberState State { get; init; }

    /// <summary>Address and port of the silo that trains it; null while waiting.</summary>
    [Id(2)] public string? Silo { get; init; }

    /// <summary>The lane of that silo, from 0; null unless training.</summary>
    [Id(3)] public int? Lane { get; init; }

    /// <summary>How often it has been assigned.</summary>
    [Id(4)] public int Attempt { get; init; }

    /// <summary>The last step done.</summary>
    [Id(5)] public int Step { get; init; }
    [Id(6)] public double Epoch { get; init; }

    /// <summary>The loss of the last logged batch; null before the first.</summary>
    [Id(7)] public double? Loss { get; init; }
    [Id(8)] public double StepsPerSecond { get; init; }
    [Id(9)] public string? Reason { get; init; }

    /// <summary>Steps to do at most; of a member that has ended, the steps that it did.</summary>
    [Id(10)] public int StepsTotal { get; init; }

    /// <summary>The step of its final model, which is the last unless it stopped early; null before its end.</summary>
    [Id(11)] public int? FinalStep { get; init; }

    /// <summary>Its share of what all members take to train, estimated; 0 where that was not.</summary>
    [Id(12)] public double Cost { get; init; }
}

/// <summary>A file of weights that the record names.</summary>
/// <param name="File">Its path below the run's folder, with forward slashes.</param>
/// <param name="Sha256">Over the file's data buffer, lower-case hexadecimal.</param>
[Immutable, Alias("ensemble.weight-file")]
public sealed record WeightFile(int Member, int Step, string File, string Sha256);

/// <summary>What decides the bits of a floating-point sum besides the program.</summary>
/// <param name="Kernels">The version of the kernels of our own, which decides alone for the networks that run on them; 0 before there were any.</param>
[GenerateSerializer, Immutable, Alias("ensemble.machine")]
public sealed record MachineInfo(
    [property: Id(0)] string Cpu, [property: Id(1)] string InstructionSet, [property: Id(2)] string Libtorch,
    [property: Id(3)] int Kernels = 0);

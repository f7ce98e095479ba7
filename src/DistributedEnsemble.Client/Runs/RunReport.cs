using System.Collections.Immutable;
using System.Text.Json.Serialization;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Runs;

/// <summary>What train and evaluate print with --json. A run that was not evaluated has no metrics.</summary>
internal sealed record RunReport
{
    public required string Run { get; init; }
    public required RunState State { get; init; }
    public required string? Reason { get; init; }

    /// <summary>The run's folder, as a full path; null of a cluster's run.</summary>
    public required string? Folder { get; init; }

    /// <summary>What is predicted.</summary>
    public required string? Task { get; init; }

    /// <summary>The column that is predicted; null where targets have no column.</summary>
    public required string? Target { get; init; }
    public required int Members { get; init; }
    public required int Constituents { get; init; }
    public required SingleModels? Single { get; init; }
    public required Measures? Ensemble { get; init; }
    public required Measures? Calibrated { get; init; }
    public required Measures? Uncertainty { get; init; }
    public required Measures? Diversity { get; init; }

    /// <summary>The names of the classes, and what the ensemble says of each; left out unless the task has classes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Classes { get; init; }

    /// <inheritdoc cref="ClassTable.Confusion"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<ImmutableArray<long>>? Confusion { get; init; }

    /// <inheritdoc cref="ClassTable.Precision"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<double?>? Precision { get; init; }

    /// <inheritdoc cref="ClassTable.Recall"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<double?>? Recall { get; init; }

    /// <summary>The ensemble on the rows that chose and calibrated; null where there are none.</summary>
    public required ValidationScore? Validation { get; init; }

    /// <summary>Left out unless a coverage was asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ConformalMetrics? Conformal { get; init; }

    /// <inheritdoc cref="EvaluationReport.EarlyExits"/>
    public required ImmutableArray<EarlyExitMeasures> EarlyExits { get; init; }

    /// <summary>Left out unless the run learned of a teacher.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TeacherMeasures? Teacher { get; init; }

    /// <summary>The single models, the best first.</summary>
    public required ImmutableArray<LeaderboardEntry> Leaderboard { get; init; }
    public required long Steps { get; init; }
    public required double TrainSeconds { get; init; }
    public required double MemberStepsPerSecond { get; init; }
    public required ImmutableArray<WeightIdentity> Weights { get; init; }

    public static RunReport Of(RunStatus status, EvaluationReport? evaluation, EmbeddedOptions place) => new()
    {
        Run = status.Run,
        State = status.State,
        Reason = status.Reason,
        Folder = place.Cluster is not null ? null : place.Store is not null ? $"{place.Store}/{status.Run}" : Path.GetFullPath(status.Run, Path.GetFullPath(place.RunsFolder)),
        Task = evaluation?.Task,
        Target = evaluation?.Target,
        Members = evaluation?.Members ?? status.Members.Length,
        Constituents = evaluation?.Constituents ?? 0,
        Single = evaluation?.Single,
        Ensemble = evaluation?.Ensemble,
        Calibrated = evaluation?.Calibrated,
        Uncertainty = evaluation?.Uncertainty,
        Diversity = evaluation?.Diversity,
        Classes = evaluation?.Classes?.Classes,
        Confusion = evaluation?.Classes?.Confusion,
        Precision = evaluation?.Classes?.Precision,
        Recall = evaluation?.Classes?.Recall,
        Validation = evaluation?.Validation,
        Conformal = evaluation?.Conformal,
        EarlyExits = evaluation?.EarlyExits ?? [],
        Teacher = evaluation?.Teacher,
        Leaderboard = LeaderboardEntry.Of(evaluation),
        Steps = status.Steps,
        TrainSeconds = status.TrainSeconds,
        MemberStepsPerSecond = status.MemberStepsPerSecond(),
        Weights = [.. (evaluation?.Weights ?? []).Select((file, i) => new WeightIdentity(
            file.Member, file.Step, file.Sha256, evaluation!.Multiplicities[i]))],
    };
}

/// <param name="Multiplicity">How often it counts in the average: 1 unless it was selected greedily.</param>
internal sealed record WeightIdentity(int Member, int Step, string Sha256, int Multiplicity);

using System.Collections.Immutable;
using DistributedEnsemble.Client.Clusters;

namespace DistributedEnsemble.Client.Runs;

/// <summary>What train and evaluate print with --json. A run that was not evaluated has no metrics.</summary>
internal sealed record RunReport
{
    public required string Run { get; init; }
    public required RunState State { get; init; }
    public required string? Reason { get; init; }

    /// <summary>The run's folder, as a full path; null of a cluster's run.</summary>
    public required string? Folder { get; init; }
    public required int Members { get; init; }
    public required int Constituents { get; init; }
    public required SingleModels? Single { get; init; }
    public required PredictionMetrics? Ensemble { get; init; }
    public required CalibrationMetrics? Calibrated { get; init; }
    public required UncertaintyMetrics? Uncertainty { get; init; }
    public required DiversityMetrics? Diversity { get; init; }
    public required long Steps { get; init; }
    public required double TrainSeconds { get; init; }
    public required double MemberStepsPerSecond { get; init; }
    public required ImmutableArray<WeightIdentity> Weights { get; init; }

    public static RunReport Of(RunStatus status, EvaluationReport? evaluation, EmbeddedOptions place) => new()
    {
        Run = status.Run,
        State = status.State,
        Reason = status.Reason,
        Folder = place.Cluster is null ? Path.GetFullPath(status.Run, Path.GetFullPath(place.RunsFolder)) : null,
        Members = evaluation?.Members ?? status.Members.Length,
        Constituents = evaluation?.Constituents ?? 0,
        Single = evaluation?.Single,
        Ensemble = evaluation?.Ensemble,
        Calibrated = evaluation?.Calibrated,
        Uncertainty = evaluation?.Uncertainty,
        Diversity = evaluation?.Diversity,
        Steps = status.Steps,
        TrainSeconds = status.TrainSeconds,
        MemberStepsPerSecond = status.MemberStepsPerSecond(),
        Weights = [.. (evaluation?.Weights ?? []).Select((file, i) => new WeightIdentity(
            file.Member, file.Step, file.Sha256, evaluation!.Multiplicities[i]))],
    };
}

/// <param name="Multiplicity">How often it counts in the average: 1 unless it was selected greedily.</param>
internal sealed record WeightIdentity(int Member, int Step, string Sha256, int Multiplicity);

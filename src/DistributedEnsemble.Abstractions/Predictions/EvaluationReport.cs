using System.Collections.Immutable;

namespace DistributedEnsemble;

/// <summary>How good an ensemble is, beside the single models that it improves.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.evaluation-report")]
public sealed record EvaluationReport
{
    [Id(0)] public required string Run { get; init; }

    /// <summary>Members that take part.</summary>
    [Id(1)] public required int Members { get; init; }

    /// <summary>Models that take part.</summary>
    [Id(2)] public required int Constituents { get; init; }
    [Id(3)] public required SingleModels Single { get; init; }
    [Id(4)] public required PredictionMetrics Ensemble { get; init; }

    /// <summary>The constituents, in the order in which they are summed.</summary>
    [Id(5)] public required ImmutableArray<WeightFile> Weights { get; init; }

    /// <summary>How often each of <see cref="Weights"/> counts in the average: 1 unless they were selected greedily.</summary>
    [Id(6)] public ImmutableArray<int> Multiplicities { get; init; } = [];
    [Id(7)] public UncertaintyMetrics? Uncertainty { get; init; }

    /// <summary>Null for a single model.</summary>
    [Id(8)] public DiversityMetrics? Diversity { get; init; }

    /// <summary>Null without a validation split.</summary>
    [Id(9)] public CalibrationMetrics? Calibrated { get; init; }
}

/// <summary>How sure the ensemble is, averaged over rows, in nats (Depeweg et al., 2018).</summary>
/// <param name="Entropy">Of the averaged probabilities: all uncertainty.</param>
/// <param name="ExpectedEntropy">The mean entropy of the models that are averaged: what more models could not remove.</param>
/// <param name="MutualInformation">The difference of the two: how much the models disagree.</param>
[GenerateSerializer, Immutable, Alias("ensemble.uncertainty")]
public sealed record UncertaintyMetrics(
    [property: Id(0)] double Entropy, [property: Id(1)] double ExpectedEntropy, [property: Id(2)] double MutualInformation);

/// <summary>How different the constituents are, averaged over their pairs.</summary>
/// <param name="Disagreement">The share of rows for which two constituents name different classes (Fort et al., 2019).</param>
/// <param name="ErrorCorrelation">
/// The correlation of "is wrong" over the rows (Kuncheva and Whitaker, 2003, ρ); null if no pair has both right and wrong rows.
/// </param>
[GenerateSerializer, Immutable, Alias("ensemble.diversity")]
public sealed record DiversityMetrics([property: Id(0)] double Disagreement, [property: Id(1)] double? ErrorCorrelation);

/// <summary>The quality of the average p̄ after scaling by a temperature T that the validation split said: p ∝ p̄^(1/T).</summary>
[GenerateSerializer, Immutable, Alias("ensemble.calibration")]
public sealed record CalibrationMetrics(
    [property: Id(0)] double Temperature, [property: Id(1)] double Nll, [property: Id(2)] double Brier, [property: Id(3)] double Ece);

/// <summary>The members' own constituents, each evaluated alone.</summary>
/// <param name="Mean">The mean of their metrics.</param>
/// <param name="Best">The test metrics of the one with the lowest validation NLL; null without a validation split.</param>
[GenerateSerializer, Immutable, Alias("ensemble.single-models")]
public sealed record SingleModels(
    [property: Id(0)] PredictionMetrics Mean, [property: Id(1)] PredictionMetrics? Best, [property: Id(2)] int? BestMember);

/// <summary>Quality of class probabilities.</summary>
/// <param name="Accuracy">Share of rows whose most probable class is right.</param>
/// <param name="Nll">Mean negative log-likelihood, natural logarithm.</param>
/// <param name="Brier">Mean squared distance of the probabilities from the one-hot label, summed over classes (Brier, 1950).</param>
/// <param name="Ece">Expected calibration error, 15 equal bins of confidence (Guo et al., 2017).</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction-metrics")]
public sealed record PredictionMetrics(
    [property: Id(0)] double Accuracy, [property: Id(1)] double Nll, [property: Id(2)] double Brier, [property: Id(3)] double Ece);

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
}

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

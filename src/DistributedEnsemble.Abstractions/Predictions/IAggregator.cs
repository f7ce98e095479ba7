using System.Collections.Immutable;
using Orleans.Concurrency;

namespace DistributedEnsemble;

/// <summary>Answers as one model: averages the class probabilities of a run's constituents. The key is the <see cref="RunKey"/>.</summary>
[Alias("ensemble.aggregator")]
public interface IAggregator : IGrainWithStringKey
{
    /// <summary>Averaged class probabilities of rows.</summary>
    [Alias("predict")]
    Task<Prediction> PredictAsync(PredictionRequest request);

    /// <summary>Metrics on the test split: of the average, and of the members' own constituents alone.</summary>
    [Alias("evaluate")]
    Task<EvaluationReport> EvaluateAsync(EvaluationRequest request);
}

/// <summary>Rows to predict. Null choices are the spec's.</summary>
/// <param name="Rows">Raw features or pixels, row after row; the run's preprocessing is applied inside.</param>
/// <param name="Calibrated">Whether the averages are scaled by the temperature that the validation split says.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction-request")]
public sealed record PredictionRequest(
    [property: Id(0)] ImmutableArray<float> Rows, [property: Id(1)] ConstituentChoice? Choice = null,
    [property: Id(2)] bool Calibrated = false);

/// <summary>Which constituents are averaged. Null is what the spec says.</summary>
/// <param name="Members">Only the first n members; null is all.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-choice")]
public sealed record ConstituentChoice(
    [property: Id(0)] PredictionSource? From = null, [property: Id(1)] string? Select = null,
    [property: Id(2)] int? Members = null, [property: Id(3)] int? MonteCarloSamples = null);

/// <summary>Averaged class probabilities.</summary>
/// <param name="Probabilities">[rows, classes], row after row.</param>
/// <param name="Labels">The class of highest probability of each row, as the data has it.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction")]
public sealed record Prediction(
    [property: Id(0)] ImmutableArray<string> Classes, [property: Id(1)] ImmutableArray<float> Probabilities,
    [property: Id(2)] ImmutableArray<string> Labels, [property: Id(3)] int Constituents)
{
    /// <summary>Of each row's probabilities, in nats.</summary>
    [Id(4)] public ImmutableArray<float> Entropies { get; init; } = [];

    /// <summary>
    /// How much the averaged models disagree about each row, in nats: the entropy of their mean less the mean of their entropies,
    /// before any calibration.
    /// </summary>
    [Id(5)] public ImmutableArray<float> MutualInformation { get; init; } = [];
}

[GenerateSerializer, Immutable, Alias("ensemble.evaluation-request")]
public sealed record EvaluationRequest([property: Id(0)] ConstituentChoice? Choice = null);

public enum DataPart { Test, Validation }

/// <summary>Rows for a member's constituents: a range of the run's own data, or rows of a client.</summary>
/// <param name="Rows">Raw rows; default if <paramref name="Part"/> says which.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-query")]
public sealed record ConstituentQuery(
    [property: Id(0)] RunDefinition Definition, [property: Id(1)] ImmutableArray<WeightFile> Constituents,
    [property: Id(2)] int MonteCarloSamples, [property: Id(3)] ImmutableArray<float> Rows,
    [property: Id(4)] DataPart? Part, [property: Id(5)] int Start, [property: Id(6)] int Count);

/// <summary>The answers of each constituent, in the order of the query.</summary>
/// <param name="Values">Class probabilities, [rows, classes].</param>
/// <param name="ExpectedEntropies">[rows], in nats: a constituent's own entropy, or the mean over its Monte-Carlo samples.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-probabilities")]
public sealed record ConstituentProbabilities(
    [property: Id(0)] ImmutableArray<ImmutableArray<float>> Values,
    [property: Id(1)] ImmutableArray<ImmutableArray<float>> ExpectedEntropies);

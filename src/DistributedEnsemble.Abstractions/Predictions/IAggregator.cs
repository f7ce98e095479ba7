using System.Collections.Immutable;
using Orleans.Concurrency;

namespace DistributedEnsemble;

/// <summary>Answers as one model: averages the class probabilities of a run's constituents. The key is the <see cref="RunKey"/>.</summary>
[Alias("ensemble.aggregator")]
public interface IAggregator : IGrainWithStringKey
{
    /// <summary>Averaged class probabilities of rows. Requests for the same constituents are computed together.</summary>
    /// <exception cref="RunRejectedException">The run is unknown, or the rows or the choice do not fit it.</exception>
    /// <exception cref="OverloadedException">As many requests wait as may wait.</exception>
    /// <exception cref="QuorumException">Too few members answered in time.</exception>
    [Alias("predict")]
    Task<Prediction> PredictAsync(PredictionRequest request, CancellationToken cancellationToken = default);

    /// <summary>What rows must be like, and what comes back.</summary>
    /// <exception cref="RunRejectedException">The run is unknown.</exception>
    [Alias("describe")]
    Task<ServedModel> DescribeAsync();

    /// <summary>What predictions of the run have taken on this silo since it started.</summary>
    [Alias("statistics"), AlwaysInterleave]
    Task<PredictionStatistics> GetStatisticsAsync();

    /// <summary>Metrics on the test split: of the average, and of the members' own constituents alone.</summary>
    [Alias("evaluate"), ResponseTimeout(LongCalls.Predicting)]
    Task<EvaluationReport> EvaluateAsync(EvaluationRequest request);
}

/// <summary>Rows to predict. Null choices are the spec's.</summary>
/// <param name="Rows">Raw features or pixels, row after row; the run's preprocessing is applied inside.</param>
/// <param name="Calibrated">Whether the averages are scaled by the temperature that the validation split says.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction-request")]
public sealed record PredictionRequest(
    [property: Id(0)] ImmutableArray<float> Rows, [property: Id(1)] ConstituentChoice? Choice = null,
    [property: Id(2)] bool Calibrated = false)
{
    /// <summary>Whether the answer has each member's own probabilities, too.</summary>
    [Id(3)] public bool PerMember { get; init; }
}

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

    /// <summary>The place of each row's label among the classes.</summary>
    [Id(6)] public ImmutableArray<int> LabelIndices { get; init; } = [];

    /// <summary>The members that answered, in their order; the others were left out of the average.</summary>
    [Id(7)] public ImmutableArray<int> MembersUsed { get; init; } = [];

    /// <summary>[rows, classes] of each of <see cref="MembersUsed"/>, before any calibration; empty unless asked for.</summary>
    [Id(8)] public ImmutableArray<ImmutableArray<float>> MemberProbabilities { get; init; } = [];
}

/// <summary>A run as somebody sees it who asks it for predictions.</summary>
/// <param name="InputShape">Of one row: [features] or [channels, height, width].</param>
/// <param name="Classes">The labels' texts, in the order of the probabilities.</param>
/// <param name="Members">K.</param>
[GenerateSerializer, Immutable, Alias("ensemble.served-model")]
public sealed record ServedModel(
    [property: Id(0)] ImmutableArray<long> InputShape, [property: Id(1)] ImmutableArray<string> Classes, [property: Id(2)] int Members);

/// <summary>What predictions of a run have taken on one silo.</summary>
/// <param name="Requests">Requests that were computed.</param>
/// <param name="Queued">How long they waited, all together.</param>
/// <param name="Computed">How long the batches took that they were part of, all together: a batch counts once for each of its requests.</param>
/// <param name="Batches">By their rows.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction-statistics")]
public sealed record PredictionStatistics(
    [property: Id(0)] long Requests, [property: Id(1)] TimeSpan Queued, [property: Id(2)] TimeSpan Computed,
    [property: Id(3)] ImmutableArray<BatchStatistics> Batches);

/// <summary>Batches of equally many rows: how many there were, and how long they took.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.batch-statistics")]
public sealed record BatchStatistics([property: Id(0)] int Rows, [property: Id(1)] long Count, [property: Id(2)] TimeSpan Computed);

/// <summary>More was asked for than can be answered in time: ask again in a moment. The message is one line for people.</summary>
[GenerateSerializer, Alias("ensemble.overloaded")]
public sealed class OverloadedException(string message) : Exception(message);

/// <summary>Too few members answered in time for an average worth its name. The message is one line for people.</summary>
[GenerateSerializer, Alias("ensemble.quorum")]
public sealed class QuorumException(string message) : Exception(message);

[GenerateSerializer, Immutable, Alias("ensemble.evaluation-request")]
public sealed record EvaluationRequest([property: Id(0)] ConstituentChoice? Choice = null);

public enum DataPart { Test, Validation }

/// <summary>Rows for a member's constituents: a range of the run's own data, or rows of a client.</summary>
/// <param name="Rows">Raw rows, request after request; none if <paramref name="Part"/> says which.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-query")]
public sealed record ConstituentQuery(
    [property: Id(1)] ImmutableArray<WeightFile> Constituents,
    [property: Id(2)] int MonteCarloSamples, [property: Id(3)] ImmutableArray<ImmutableArray<float>> Rows,
    [property: Id(4)] DataPart? Part, [property: Id(5)] int Start, [property: Id(6)] int Count);

/// <summary>The answers of each constituent, in the order of the query; empty for one whose file cannot be read.</summary>
/// <param name="Values">Class probabilities, [rows, classes].</param>
/// <param name="ExpectedEntropies">[rows], in nats: a constituent's own entropy, or the mean over its Monte-Carlo samples.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-probabilities")]
public sealed record ConstituentProbabilities(
    [property: Id(0)] ImmutableArray<ImmutableArray<float>> Values,
    [property: Id(1)] ImmutableArray<ImmutableArray<float>> ExpectedEntropies)
{
    /// <summary>The silo that answered: what else it holds is asked of it in the same call the next time.</summary>
    [Id(10)] public string? Silo { get; init; }
}

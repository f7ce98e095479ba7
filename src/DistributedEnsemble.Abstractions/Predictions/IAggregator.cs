using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using Orleans.Concurrency;

namespace DistributedEnsemble.Predictions;

/// <summary>Answers as one model: averages the answers of a run's constituents. The key is the <see cref="RunKey"/>.</summary>
[Alias("ensemble.aggregator")]
public interface IAggregator : IGrainWithStringKey
{
    /// <summary>The averaged answers to rows. Requests for the same constituents are computed together.</summary>
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
    /// <exception cref="OperationCanceledException">The caller gave it up; what silos compute for it ends with the rows that they are at.</exception>
    [Alias("evaluate"), ResponseTimeout(LongCalls.Limit)]
    Task<EvaluationReport> EvaluateAsync(EvaluationRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// How good the average of the first members is on the validation split, each with its latest weights so far: what an
    /// ensemble of that size gains while it still trains. Where members do not see all rows, it is on the training rows, each
    /// answered by those that did not see it.
    /// </summary>
    /// <returns>Null without such rows, and before any member has handed over weights.</returns>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    [Alias("score"), AlwaysInterleave, ResponseTimeout(LongCalls.Limit)]
    Task<EnsembleScores?> ScoreAsync(CancellationToken cancellationToken = default);

    /// <summary>What the training rows are answered by the members that did not see them: a page.</summary>
    /// <exception cref="RunRejectedException">The run is unknown, or all of its members saw all rows.</exception>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    [Alias("predict-out-of-fold"), ResponseTimeout(LongCalls.Limit)]
    Task<OutOfFoldPage> PredictOutOfFoldAsync(OutOfFoldRequest request, CancellationToken cancellationToken = default);
}

/// <summary>Ensembles of growing size, on rows that did not train them.</summary>
/// <param name="Rows">How many, the same for all sizes.</param>
/// <param name="Sizes">In order of size.</param>
/// <param name="OutOfFold">Whether they are training rows, each answered by the members that did not see it; else they are of the validation split.</param>
[GenerateSerializer, Immutable, Alias("ensemble.scores")]
public sealed record EnsembleScores([property: Id(0)] int Rows, [property: Id(1)] ImmutableArray<SizeScore> Sizes, [property: Id(2)] bool OutOfFold = false);

/// <param name="Members">The first so many of the members that have weights.</param>
[GenerateSerializer, Immutable, Alias("ensemble.size-score")]
public sealed record SizeScore([property: Id(0)] int Members, [property: Id(1)] Measures Measures);

/// <summary>Rows to predict. Null choices are the spec's.</summary>
/// <param name="Rows">Raw features or pixels, row after row; the run's preprocessing is applied inside.</param>
/// <param name="Calibrated">Whether the averages are calibrated as the validation split says.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction-request")]
public sealed record PredictionRequest(
    [property: Id(0)] ImmutableArray<float> Rows, [property: Id(1)] ConstituentChoice? Choice = null,
    [property: Id(2)] bool Calibrated = false)
{
    /// <summary>Whether the answer has each member's own, too.</summary>
    [Id(3)] public bool PerMember { get; init; }

    /// <summary>A table's rows, column by column, in place of <see cref="Rows"/>; empty if these are numbers.</summary>
    [Id(5)] public ImmutableArray<RowColumn> Columns { get; init; } = [];

    /// <summary>The share of rows that intervals shall hold, in (0, 1).</summary>
    [Id(4)] public double Coverage { get; init; } = DefaultCoverage;

    public const double DefaultCoverage = 0.9;
}

/// <summary>Which constituents are averaged. Null is what the spec says.</summary>
/// <param name="Members">Only the first n members; null is all.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-choice")]
public sealed record ConstituentChoice(
    [property: Id(0)] PredictionSource? From = null, [property: Id(1)] string? Select = null,
    [property: Id(2)] int? Members = null, [property: Id(3)] int? MonteCarloSamples = null)
{
    /// <summary>
    /// How likely a row's label, or a noticeable part of its interval, may be another one than that of all members, for fewer of them to
    /// be asked; 0 asks all, and null is as the server is set, which asks all unless it is told.
    /// </summary>
    [Id(4)] public double? EarlyExit { get; init; }
}

/// <summary>One of the tensors that a model answers with.</summary>
/// <param name="Datatype">FP32, INT64 or BYTES, as the Open Inference Protocol calls them.</param>
/// <param name="Columns">The names of a row's elements; empty where a row has one element.</param>
[GenerateSerializer, Immutable, Alias("ensemble.output")]
public sealed record OutputDescription(
    [property: Id(0)] string Name, [property: Id(1)] string Datatype, [property: Id(2)] ImmutableArray<string> Columns)
{
    /// <summary>How many members answered a row: every model has it.</summary>
    public static OutputDescription MembersUsed { get; } = new("members_used", "INT64", []);

    /// <summary>Elements of one row.</summary>
    public int Width => Math.Max(1, Columns.Length);
}

/// <summary>The elements of an output, row after row: in the array of its datatype.</summary>
[GenerateSerializer, Immutable, Alias("ensemble.output-values")]
public sealed record OutputValues([property: Id(0)] string Name)
{
    /// <summary>FP32.</summary>
    [Id(1)] public ImmutableArray<float> Numbers { get; init; } = [];

    /// <summary>INT64.</summary>
    [Id(2)] public ImmutableArray<long> Integers { get; init; } = [];

    /// <summary>BYTES.</summary>
    [Id(3)] public ImmutableArray<string> Texts { get; init; } = [];
}

/// <summary>An average of models' answers to some rows.</summary>
/// <param name="Outputs">As the model's <see cref="ServedModel.Outputs"/> describe them, in their order.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction")]
public sealed record Prediction(
    [property: Id(0)] int Rows, [property: Id(1)] ImmutableArray<OutputValues> Outputs, [property: Id(2)] int Constituents)
{
    /// <summary>The members that answered, in their order; the others were left out of the average.</summary>
    [Id(3)] public ImmutableArray<int> MembersUsed { get; init; } = [];

    /// <summary>How many members answered each row; empty where all of <see cref="MembersUsed"/> did.</summary>
    [Id(5)] public ImmutableArray<int> RowMembers { get; init; } = [];

    /// <summary>What each of <see cref="MembersUsed"/> says alone, before any calibration; empty unless asked for.</summary>
    [Id(4)] public ImmutableArray<MemberPrediction> Members { get; init; } = [];

    /// <exception cref="KeyNotFoundException">The model has no such output.</exception>
    public OutputValues this[string name] => Outputs.FirstOrDefault(output => output.Name == name)
        ?? throw new KeyNotFoundException($"There is no output \"{name}\" among {string.Join(", ", Outputs.Select(output => output.Name))}.");
}

/// <summary>What one member of an average says alone.</summary>
/// <param name="Weight">Its share of the average: the shares of all members add up to 1.</param>
/// <param name="Outputs">As the model's <see cref="ServedModel.MemberOutputs"/> describe them, in their order.</param>
[GenerateSerializer, Immutable, Alias("ensemble.member-prediction")]
public sealed record MemberPrediction([property: Id(0)] double Weight, [property: Id(1)] ImmutableArray<OutputValues> Outputs);

/// <summary>A run as somebody sees it who asks it for predictions.</summary>
/// <param name="InputShape">Of one row: [features] or [channels, height, width].</param>
/// <param name="Task">What is predicted: "classification", for one.</param>
/// <param name="Outputs">What rows are answered with; the first is the default.</param>
/// <param name="Members">K.</param>
[GenerateSerializer, Immutable, Alias("ensemble.served-model")]
public sealed record ServedModel(
    [property: Id(0)] ImmutableArray<long> InputShape, [property: Id(1)] string Task,
    [property: Id(2)] ImmutableArray<OutputDescription> Outputs, [property: Id(3)] int Members)
{
    /// <summary>A table's features; empty of other data.</summary>
    [Id(4)] public ImmutableArray<ServedColumn> Columns { get; init; } = [];

    /// <summary>Those of <see cref="Outputs"/> that each member alone is asked for, too; the first is the default.</summary>
    [Id(6)] public required ImmutableArray<OutputDescription> MemberOutputs { get; init; }

    /// <summary>What its predictions are made of.</summary>
    [Id(5)] public required PredictionSize Size { get; init; }

    /// <summary>Whether rows may come as numbers alone, all of a row in the order of the columns.</summary>
    public bool TakesRows => Columns.All(column => column.Datatype == ServedColumn.Number);
}

/// <summary>What a run's predictions are made of: how much memory one takes follows from it.</summary>
/// <param name="InputWidth">Numbers of a row as the models take it.</param>
/// <param name="AnswerWidth">Numbers of one model's answer to a row.</param>
/// <param name="From">Where models are taken from unless a request says it.</param>
/// <param name="Select">Which of them unless a request says it.</param>
/// <param name="Snapshots">Of one member at most.</param>
/// <param name="Ema">Averages of one member at most.</param>
[GenerateSerializer, Immutable, Alias("ensemble.prediction-size")]
public sealed record PredictionSize(
    [property: Id(0)] int InputWidth, [property: Id(1)] int AnswerWidth, [property: Id(2)] PredictionSource From, [property: Id(3)] string Select,
    [property: Id(4)] int Snapshots, [property: Id(5)] int Ema);

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

/// <param name="Coverage">The share of rows that conformal sets or intervals shall hold, in (0, 1); null for none.</param>
[GenerateSerializer, Immutable, Alias("ensemble.evaluation-request")]
public sealed record EvaluationRequest([property: Id(0)] ConstituentChoice? Choice = null, [property: Id(1)] double? Coverage = null);

/// <param name="Coverage">The share of rows that intervals shall hold; null for the default.</param>
/// <param name="Start">Where the page begins, among the rows that train.</param>
[GenerateSerializer, Immutable, Alias("ensemble.out-of-fold-request")]
public sealed record OutOfFoldRequest([property: Id(0)] ConstituentChoice? Choice = null, [property: Id(1)] double? Coverage = null, [property: Id(2)] int Start = 0);

/// <param name="Columns">The row, its truth, and what it is answered.</param>
/// <param name="Values">Of each column.</param>
/// <param name="Next">Where the next page begins; null after the last.</param>
[GenerateSerializer, Immutable, Alias("ensemble.out-of-fold-page")]
public sealed record OutOfFoldPage(
    [property: Id(0)] int Rows, [property: Id(1)] ImmutableArray<OutputDescription> Columns, [property: Id(2)] ImmutableArray<OutputValues> Values,
    [property: Id(3)] int? Next);

/// <summary>A part of a run's data, whose rows measure models.</summary>
public enum DataPart
{
    Test,
    Validation,

    /// <summary>The rows that train, of which each model answers to those that its member did not see.</summary>
    OutOfFold,
}

/// <summary>Rows for a member's constituents: a range of the run's own data, or rows of a client.</summary>
/// <param name="Rows">Raw rows, request after request; none if <paramref name="Part"/> says which.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-query")]
public sealed record ConstituentQuery(
    [property: Id(1)] ImmutableArray<WeightFile> Constituents,
    [property: Id(2)] int MonteCarloSamples, [property: Id(3)] ImmutableArray<ImmutableArray<float>> Rows,
    [property: Id(4)] DataPart? Part, [property: Id(5)] int Start, [property: Id(6)] int Count)
{
    /// <summary>How many of the range's rows are computed, as their bits may depend on it, and not answered.</summary>
    [Id(7)] public int Skipped { get; init; }

    /// <summary>How many rows after those are answered; null is all that follow.</summary>
    [Id(8)] public int? Answered { get; init; }
}

/// <summary>The answers of each constituent, in the order of the query; empty for one whose file cannot be read.</summary>
/// <param name="Values">[rows, width] of each: numbers that average linearly, as the run's task defines them.</param>
[GenerateSerializer, Immutable, Alias("ensemble.constituent-answers")]
public sealed record ConstituentAnswers([property: Id(0)] ImmutableArray<ImmutableArray<double>> Values)
{
    /// <summary>The silo that answered: what else it holds is asked of it in the same call the next time.</summary>
    [Id(1)] public string? Silo { get; init; }
}

using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Predictions;

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
    [Id(4)] public required Measures Ensemble { get; init; }

    /// <summary>The constituents, in the order in which they are summed.</summary>
    [Id(5)] public required ImmutableArray<WeightFile> Weights { get; init; }

    /// <summary>How often each of <see cref="Weights"/> counts in the average: 1 unless they were selected greedily.</summary>
    [Id(6)] public ImmutableArray<int> Multiplicities { get; init; } = [];

    /// <summary>How sure the ensemble is, averaged over rows.</summary>
    [Id(7)] public Measures? Uncertainty { get; init; }

    /// <summary>How different the constituents are, averaged over their pairs; null for a single model.</summary>
    [Id(8)] public Measures? Diversity { get; init; }

    /// <summary>What the validation split fitted, and the ensemble's measures after it; null without a validation split.</summary>
    [Id(9)] public Measures? Calibrated { get; init; }

    /// <summary>What is predicted: "classification", for one.</summary>
    [Id(10)] public required string Task { get; init; }

    /// <summary>The column that is predicted; null where targets have no column.</summary>
    [Id(11)] public string? Target { get; init; }

    /// <summary>Each of <see cref="Weights"/> alone.</summary>
    [Id(12)] public ImmutableArray<Measures> Models { get; init; } = [];

    /// <summary>The ensemble, class by class; null unless the task has classes.</summary>
    [Id(13)] public ClassTable? Classes { get; init; }

    /// <summary>The ensemble on the rows that chose and calibrated; null where there are none.</summary>
    [Id(17)] public ValidationScore? Validation { get; init; }

    /// <summary>What the members' specs say where they differ, of each of <see cref="Weights"/>; empty where they do not.</summary>
    [Id(16)] public ImmutableArray<ImmutableArray<MemberSetting>> Settings { get; init; } = [];

    /// <summary>Null unless a coverage was asked for.</summary>
    [Id(14)] public ConformalMetrics? Conformal { get; init; }

    /// <summary>The ensemble where rows are asked of fewer members, by growing probability of another prediction; empty without validation rows that can tell.</summary>
    [Id(18)] public ImmutableArray<EarlyExitMeasures> EarlyExits { get; init; } = [];

    /// <summary>Whose predictions the run learned; null unless it learned some, and its teacher is what it was.</summary>
    [Id(15)] public TeacherMeasures? Teacher { get; init; }
}

/// <summary>An ensemble whose rows stop asking members when more are unlikely to change their prediction, on the test split.</summary>
/// <param name="Probability">Of another prediction, as the validation split bounds it.</param>
/// <param name="Members">That were asked of a row, on average.</param>
/// <param name="Changed">The share of test rows whose prediction is another one than that of all members.</param>
[GenerateSerializer, Immutable, Alias("ensemble.early-exit-measures")]
public sealed record EarlyExitMeasures(
    [property: Id(0)] double Probability, [property: Id(1)] double Members, [property: Id(2)] double Changed, [property: Id(3)] Measures Measures);

/// <summary>A teacher on the same test split.</summary>
/// <param name="Constituents">Models that take part.</param>
/// <param name="Ensemble">What the student learned of.</param>
/// <param name="Single">The mean of its single models' measures.</param>
[GenerateSerializer, Immutable, Alias("ensemble.teacher-measures")]
public sealed record TeacherMeasures(
    [property: Id(0)] string Run, [property: Id(1)] int Constituents, [property: Id(2)] Measures Ensemble, [property: Id(3)] Measures Single);

/// <summary>What an ensemble scores on rows that did not train it.</summary>
/// <param name="OutOfFold">Whether they are the training rows, each answered by the members that did not see it; else they are the validation split.</param>
[GenerateSerializer, Immutable, Alias("ensemble.validation-score")]
public sealed record ValidationScore([property: Id(0)] int Rows, [property: Id(1)] bool OutOfFold, [property: Id(2)] Measures Measures);

/// <summary>A key that members have different values of.</summary>
/// <param name="Value">As in a spec, in JSON; null where the member's spec has no such key.</param>
[GenerateSerializer, Immutable, Alias("ensemble.member-setting")]
public readonly record struct MemberSetting([property: Id(0)] string Key, [property: Id(1)] string? Value);

/// <summary>The members' own constituents, each evaluated alone.</summary>
/// <param name="Mean">The mean of their measures.</param>
/// <param name="Best">The test measures of the one with the lowest validation NLL; null without a validation split.</param>
[GenerateSerializer, Immutable, Alias("ensemble.single-models")]
public sealed record SingleModels([property: Id(0)] Measures Mean, [property: Id(1)] Measures? Best, [property: Id(2)] int? BestMember);

/// <summary>What an ensemble says of each class.</summary>
/// <param name="Confusion">Rows of each true class (outer) that were given each class (inner).</param>
/// <param name="Precision">The share of the rows given a class that are of it; null for a class that no row was given.</param>
/// <param name="Recall">The share of a class's rows that were given it; null for a class without rows.</param>
[GenerateSerializer, Immutable, Alias("ensemble.class-table")]
public sealed record ClassTable(
    [property: Id(0)] ImmutableArray<string> Classes, [property: Id(1)] ImmutableArray<ImmutableArray<long>> Confusion,
    [property: Id(2)] ImmutableArray<double?> Precision, [property: Id(3)] ImmutableArray<double?> Recall);

/// <summary>Split-conformal sets or intervals (Vovk et al., 2005): what the validation split promises and the test split shows.</summary>
/// <param name="Coverage">The share of rows that was asked for.</param>
/// <param name="Test">The share of test rows whose truth lies within.</param>
/// <param name="Size">The mean number of classes of a set, or width of an interval in the target's units.</param>
[GenerateSerializer, Immutable, Alias("ensemble.conformal")]
public sealed record ConformalMetrics([property: Id(0)] double Coverage, [property: Id(1)] double Test, [property: Id(2)] double Size);

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>All that an experiment measured: data.json beside the page.</summary>
public sealed record ExperimentResults
{
    public required string Dataset { get; init; }
    public required string Command { get; init; }

    /// <summary>The day on which it ended.</summary>
    public required string Date { get; init; }
    public required string Version { get; init; }
    public required MachineInfo Machine { get; init; }
    public required int Threads { get; init; }
    public required double Minutes { get; init; }
    public required IReadOnlyList<ulong> Seeds { get; init; }
    public required SplitSizes Splits { get; init; }
    public required IReadOnlyList<ArmResult> Arms { get; init; }
    public required IReadOnlyList<SubjectResult> Subjects { get; init; }
    public required IReadOnlyList<FindingResult> Findings { get; init; }
    public required IReadOnlyList<CurveResult> Curves { get; init; }

    /// <summary>Of the first seed: a single model and the ensemble, before and after calibration.</summary>
    public required IReadOnlyList<Reliability> Reliability { get; init; }

    /// <summary>Of the snapshots of all members together, first seed.</summary>
    public required Disagreements Disagreements { get; init; }

    /// <summary>Of the first member of some arms, first seed.</summary>
    public required IReadOnlyList<LearningCurves> Learning { get; init; }

    /// <exception cref="JsonException">The text is no such results.</exception>
    public static ExperimentResults FromJson(string json) =>
        JsonSerializer.Deserialize<ExperimentResults>(json, s_json) ?? throw new JsonException("Results are an object, not null.");

    public string ToJson() => JsonSerializer.Serialize(this, s_json) + "\n";

    private static readonly JsonSerializerOptions s_json = new(RunStatusJson.Options)
    {
        WriteIndented = true, NewLine = "\n", DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };
}

/// <param name="Spec">As it was resolved, for the first seed.</param>
/// <param name="Steps">Of one member.</param>
public sealed record ArmResult(string Name, JsonNode Spec, int Members, int Steps, int Weights);

/// <param name="MemberSteps">Steps that training one of it takes, over all its members.</param>
/// <param name="Forwards">Passes through a network that one row takes, of the last seed.</param>
/// <param name="BySeed">In the order of the seeds.</param>
public sealed record SubjectResult(
    string Name, string Arm, long MemberSteps, int Forwards, IReadOnlyList<Measure> BySeed)
{
    public Estimate Of(Func<Measure, double> measure) => Estimate.Of([.. BySeed.Select(measure)]);
}

/// <summary>A claim, and what was measured of it.</summary>
public sealed record FindingResult(
    string Claim, string Baseline, string Treatment, string Budget, Verdict Verdict, Estimate Error, Estimate Nll, Estimate CalibratedNll);

/// <summary>Error against size; sizes from 1.</summary>
/// <param name="BySeed">For each seed the errors of each size, averaged over ten choices of that many members.</param>
public sealed record CurveResult(string Title, IReadOnlyList<IReadOnlyList<double>> BySeed);

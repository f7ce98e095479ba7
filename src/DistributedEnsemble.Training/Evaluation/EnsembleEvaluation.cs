using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training;

/// <summary>
/// Measures an ensemble and its constituents from their probabilities, wherever those were computed. The test split measures;
/// the validation split only says which constituent is the best.
/// </summary>
public sealed class EnsembleEvaluation
{
    private readonly TrainingPlan _plan;
    private readonly ImmutableArray<WeightFile> _constituents;
    private readonly Dictionary<DataPart, PredictionQuality[]> _single;
    private readonly PredictionQuality _ensemble;

    /// <param name="constituents">In the order in which they are summed.</param>
    public EnsembleEvaluation(TrainingPlan plan, ImmutableArray<WeightFile> constituents)
    {
        (_plan, _constituents) = (plan, constituents);
        _ensemble = new PredictionQuality(plan.Dataset.Classes.Count);
        _single = Parts.ToDictionary(
            part => part, _ => constituents.Select(_ => new PredictionQuality(plan.Dataset.Classes.Count)).ToArray());
    }

    /// <summary>What to predict.</summary>
    public IReadOnlyList<DataPart> Parts =>
        _plan.Split.Validation.Length == 0 ? [DataPart.Test] : [DataPart.Test, DataPart.Validation];

    /// <summary>Adds rows of a part.</summary>
    /// <param name="start">The first row.</param>
    /// <param name="probabilities">[rows, classes] of each constituent.</param>
    public void Add(DataPart part, int start, IReadOnlyList<ImmutableArray<float>> probabilities)
    {
        var rows = probabilities[0].Length / _plan.Dataset.Classes.Count;
        var labels = MemoryMarshal.Cast<byte, long>(_plan.Samples(part).Labels.bytes).Slice(start, rows);
        var mean = new ProbabilityMean();
        for (var i = 0; i < probabilities.Count; i++)
        {
            _single[part][i].Add(probabilities[i].AsSpan(), labels);
            mean.Add(probabilities[i].AsSpan());
        }

        if (part == DataPart.Test) _ensemble.Add(mean.ToArray(), labels);
    }

    public EvaluationReport Report(string run)
    {
        var single = _single[DataPart.Test].Select(quality => quality.Result()).ToList();
        int? best = _single.TryGetValue(DataPart.Validation, out var validation)
            ? validation.Select((quality, i) => (quality.Result().Nll, i)).Min().i
            : null;
        return new EvaluationReport
        {
            Run = run,
            Members = _constituents.Select(file => file.Member).Distinct().Count(),
            Constituents = _constituents.Length,
            Single = new SingleModels(Mean(single), best is { } i ? single[i] : null, best is { } j ? _constituents[j].Member : null),
            Ensemble = _ensemble.Result(),
            Weights = _constituents,
        };
    }

    private static PredictionMetrics Mean(List<PredictionMetrics> metrics) => new(
        metrics.Average(m => m.Accuracy), metrics.Average(m => m.Nll), metrics.Average(m => m.Brier), metrics.Average(m => m.Ece));
}

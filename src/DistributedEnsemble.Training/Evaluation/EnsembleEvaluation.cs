using System.Collections.Immutable;

namespace DistributedEnsemble.Training;

/// <summary>
/// Measures an average of models, and the models alone, on the test split, from their probabilities, wherever those were
/// computed. Whatever is chosen was chosen before, by the validation split.
/// </summary>
public sealed class EnsembleEvaluation
{
    private readonly TrainingPlan _plan;
    private readonly ConstituentSelection _selection;
    private readonly PredictionQuality[] _single;
    private readonly PredictionQuality _ensemble, _calibrated;
    private readonly UncertaintyMean _uncertainty = new();

    public EnsembleEvaluation(TrainingPlan plan, ConstituentSelection selection)
    {
        var classes = plan.Task.Outputs;
        (_plan, _selection) = (plan, selection);
        _single = [.. selection.Constituents.Select(_ => new PredictionQuality(classes))];
        (_ensemble, _calibrated) = (new PredictionQuality(classes), new PredictionQuality(classes));
        Diversity = new PairwiseDiversity(selection.Constituents.Length, (int)plan.Samples(DataPart.Test).Count);
    }

    public PairwiseDiversity Diversity { get; }

    /// <summary>Measures a run's models on all of its test split.</summary>
    public static async Task<EvaluationReport> RunAsync(string run, TrainingPlan plan, ConstituentSelection selection, IConstituents models)
    {
        var evaluation = new EnsembleEvaluation(plan, selection);
        foreach (var rows in RowRange.Of(plan, DataPart.Test))
        {
            var answers = await models.PredictAsync(selection.Constituents, selection.MonteCarloSamples, rows);
            evaluation.Add(rows.Start, answers);
        }

        return evaluation.Report(run);
    }

    /// <summary>Adds rows of the test split.</summary>
    /// <param name="start">The first row.</param>
    public void Add(int start, ConstituentProbabilities answers)
    {
        var classes = _plan.Task.Outputs;
        var labels = _plan.Samples(DataPart.Test).Targets.AsSpan(start, answers.ExpectedEntropies[0].Length);
        for (var i = 0; i < _single.Length; i++)
        {
            _single[i].Add(answers.Values[i].AsSpan(), labels);
            Diversity.Add(i, start, answers.Values[i].AsSpan(), labels);
        }

        var mean = answers.Mean(_selection.Multiplicities);
        _ensemble.Add(mean.Probabilities, labels);
        _uncertainty.Add(mean, classes);
        if (_selection.Fit is { } fit) _calibrated.Add(TemperatureScaling.Apply(mean.Probabilities, classes, fit.Temperature), labels);
    }

    public EvaluationReport Report(string run)
    {
        var constituents = _selection.Constituents;
        var single = _single.Select(quality => quality.Result()).ToList();
        var best = _selection.Fit?.Best(constituents);
        return new EvaluationReport
        {
            Run = run,
            Members = constituents.Select(file => file.Member).Distinct().Count(),
            Constituents = constituents.Length,
            Single = new SingleModels(Mean(single), best is { } i ? single[i] : null, best is { } j ? constituents[j].Member : null),
            Ensemble = _ensemble.Result(),
            Weights = constituents,
            Multiplicities = _selection.Multiplicities,
            Uncertainty = _uncertainty.Result(),
            Diversity = Diversity.Result(),
            Calibrated = _selection.Fit is { } fit ? Calibrated(fit.Temperature, _calibrated.Result()) : null,
        };
    }

    private static CalibrationMetrics Calibrated(double temperature, PredictionMetrics metrics) =>
        new(temperature, metrics.Nll, metrics.Brier, metrics.Ece);

    private static PredictionMetrics Mean(List<PredictionMetrics> metrics) => new(
        metrics.Average(m => m.Accuracy), metrics.Average(m => m.Nll), metrics.Average(m => m.Brier), metrics.Average(m => m.Ece));
}

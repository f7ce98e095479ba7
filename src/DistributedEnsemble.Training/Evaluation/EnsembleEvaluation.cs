using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>
/// Measures an average of models, and the models alone, on the test split, from their answers, wherever those were computed.
/// Whatever is chosen was chosen before, by the validation split.
/// </summary>
internal sealed class EnsembleEvaluation
{
    private readonly TrainingPlan _plan;
    private readonly LearningTask _task;
    private readonly ConstituentSelection _selection;
    private readonly IMeasurement[] _single;
    private readonly IMeasurement _ensemble, _uncertainty;
    private readonly IMeasurement? _calibrated;
    private readonly IDiversity _diversity;
    private readonly ConformalCoverage? _conformal;
    private readonly EarlyExitEvaluation[] _exits;

    /// <param name="coverage">The share of rows that conformal sets or intervals shall hold; null for none.</param>
    /// <exception cref="SpecException">The validation split cannot promise that coverage.</exception>
    public EnsembleEvaluation(TrainingPlan plan, ConstituentSelection selection, double? coverage = null)
    {
        (_plan, _selection) = (plan, selection);
        _task = plan.Task.FittedBy(selection.Fit);
        _single = [.. selection.Constituents.Select(_ => _task.Quality())];
        (_ensemble, _uncertainty) = (_task.Quality(), _task.Uncertainty());
        if (selection.Fit is not null) _calibrated = _task.Quality(isCalibrated: true);
        _diversity = _task.Diversity(selection.Constituents.Length, (int)plan.Samples(DataPart.Test).Count);
        _exits = EarlyExitEvaluation.Of(_task, selection);
        if (coverage is { } share) _conformal = ConformalCoverage.Of(_task, selection.Fit, share);
    }

    /// <summary>Measures a run's models on all of its test split.</summary>
    /// <inheritdoc cref="EnsembleEvaluation(TrainingPlan, ConstituentSelection, double?)"/>
    public static async Task<EvaluationReport> RunAsync(
        string run, TrainingPlan plan, ConstituentSelection selection, IConstituents models, double? coverage = null)
    {
        var evaluation = new EnsembleEvaluation(plan, selection, coverage);
        foreach (var rows in RowRange.Of(plan, DataPart.Test))
        {
            var answers = await models.PredictAsync(selection.Constituents, selection.MonteCarloSamples, rows);
            evaluation.Add(rows.Start, answers);
        }

        return evaluation.Report(run);
    }

    /// <summary>Adds rows of the test split.</summary>
    /// <param name="start">The first row.</param>
    public void Add(int start, ConstituentAnswers answers)
    {
        var rows = AnswerRows.Of(answers, _selection.Multiplicities);
        var targets = _plan.Samples(DataPart.Test).Targets.AsSpan(start, rows.Mean.Length / _task.Width);
        for (var i = 0; i < _single.Length; i++)
        {
            _single[i].Add(AnswerRows.Of(rows.Models[i]), targets);
            _diversity.Add(i, start, rows.Models[i].Span, targets);
        }

        foreach (var measurement in (IMeasurement?[])[_ensemble, _uncertainty, _calibrated]) measurement?.Add(rows, targets);
        _conformal?.Add(rows.Mean, targets);
        foreach (var exit in _exits) exit.Add(answers, rows.Mean, targets);
    }

    public EvaluationReport Report(string run)
    {
        var constituents = _selection.Constituents;
        Measures[] single = [.. _single.Select(quality => quality.Result())];
        var best = _selection.Fit?.Best(constituents);
        return new EvaluationReport
        {
            Run = run,
            Task = _task.Name,
            Target = _task.Target,
            Members = constituents.Select(file => file.Member).Distinct().Count(),
            Constituents = constituents.Length,
            Single = new SingleModels(Measures.Mean(single), best is { } i ? single[i] : null, best is { } j ? constituents[j].Member : null),
            Models = [.. single],
            Ensemble = _ensemble.Result(),
            Classes = _ensemble.Classes,
            Weights = constituents,
            Multiplicities = _selection.Multiplicities,
            Uncertainty = _uncertainty.Result(),
            Diversity = _diversity.Result(),
            Calibrated = _calibrated is null ? null : new Measures([.. _selection.Fit!.Fit!.All, .. _calibrated.Result().All]),
            Conformal = _conformal?.Result(),
            Validation = _selection.Fit is { Conformal: { } measured } fit
                ? new ValidationScore(measured.Rows, _plan.Measuring == DataPart.OutOfFold, fit.Ensemble) : null,
            EarlyExits = [.. _exits.Select(exit => exit.Result())],
            Settings = MemberSettings.Of(_plan.Spec, [.. constituents.Select(file => file.Member)]),
        };
    }
}

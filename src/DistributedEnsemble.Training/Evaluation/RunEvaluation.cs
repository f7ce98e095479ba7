using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>Measures a run from its folder alone, on the calling thread.</summary>
internal static class RunEvaluation
{
    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="coverage">The share of rows that conformal sets or intervals shall hold; null for none.</param>
    /// <param name="load">Loads a dataset as a run knows it.</param>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="DataException">The data is missing, or is not what the run was trained on.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public static EvaluationReport Evaluate(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, Func<EnsembleSpec, DataDescription, Dataset> load, NetworkRegistry networks,
        double? coverage = null, CancellationToken cancellation = default)
    {
        var run = RunDescription.Read(folder);
        var definition = new RunDefinition(run.Spec.ToJson(), run.Data.ToJson());
        var plan = TrainingPlan.Restore(status.Run, definition, load, networks);
        var chosen = ChosenConstituents.Of(status, plan, choice);
        return EvaluateAsync(folder, status.Run, plan, chosen, coverage, networks, cancellation).GetAwaiter().GetResult();
    }

    private static async Task<EvaluationReport> EvaluateAsync(
        RunFolder folder, string run, TrainingPlan plan, ChosenConstituents chosen, double? coverage, NetworkRegistry networks, CancellationToken cancellation)
    {
        var models = new FolderConstituents(folder, plan, cancellation);
        var fit = await ValidationFits.OfAsync(folder, plan, chosen, models);
        var report = await EnsembleEvaluation.RunAsync(run, plan, ConstituentSelection.Of(chosen, fit), models, coverage);
        return report with { Teacher = await Teacher.MeasureAsync(folder, plan, networks, cancellation) };
    }

    /// <summary>Predicts the training rows of a run's folder, each by the members that did not see it, on the calling thread.</summary>
    /// <inheritdoc cref="Evaluate"/>
    public static PredictedRows PredictOutOfFold(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, Func<EnsembleSpec, DataDescription, Dataset> load, NetworkRegistry networks,
        double? coverage = null, CancellationToken cancellation = default)
    {
        var run = RunDescription.Read(folder);
        var plan = TrainingPlan.Restore(status.Run, new RunDefinition(run.Spec.ToJson(), run.Data.ToJson()), load, networks);
        var chosen = ChosenConstituents.Of(status, plan, choice);
        var models = new FolderConstituents(folder, plan, cancellation);
        var fit = chosen.IsGreedy || plan.Task.NeedsFit ? ValidationFits.OfAsync(folder, plan, chosen, models).GetAwaiter().GetResult() : null;
        return OutOfFoldPrediction.All(start =>
            OutOfFoldPrediction.OfAsync(status.Run, plan, chosen, fit, models, new OutOfFoldRequest(choice, coverage, start)).GetAwaiter().GetResult());
    }
}

using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Reports.Figures;
using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Safetensors;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Pages;

/// <summary>Writes a page about one run, with its plots, into the run's folder.</summary>
internal static class RunReports
{
    /// <summary>Of a run's folder.</summary>
    public const string Folder = "report";

    /// <summary>More curves than these can no longer be told apart.</summary>
    private const int MostCurves = 10;

    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="load">Loads a dataset by its name.</param>
    /// <param name="output">Of this machine, has the folder that it is written into.</param>
    /// <returns>The page's file.</returns>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="DataException">The data is missing, or is not what the run was trained on.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public static string Write(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, Func<EnsembleSpec, DataDescription, Dataset> load, NetworkRegistry networks, RunFolder output,
        CancellationToken cancellation = default)
    {
        var run = RunDescription.Read(folder);
        var plan = TrainingPlan.Restore(status.Run, new RunDefinition(run.Spec.ToJson(), run.Data.ToJson()), load, networks);
        var report = RunEvaluation.Evaluate(folder, status, choice, (_, _) => plan.Dataset, networks, cancellation: cancellation);
        var answers = TestAnswers(folder, plan, report.Weights, choice?.MonteCarloSamples ?? run.Spec.Prediction.MonteCarloSamples, cancellation);
        var task = report.Calibrated is { } calibrated ? plan.Task.Fitted(calibrated) : plan.Task;
        var models = new EvaluatedModels(report, answers, plan.Dataset.Test.Targets);
        var samples = choice?.MonteCarloSamples ?? run.Spec.Prediction.MonteCarloSamples;
        List<(string File, string Title, Figure Figure)> figures = [.. Figures(folder, plan, task, models)];
        try
        {
            var page = output.WritablePath($"{Folder}/index.html");
            foreach (var (file, _, figure) in figures) figure.Save(output.Path(Folder), file);
            var html = RunPage.Write(status, run, report, [.. figures.Select(figure => (figure.Title, figure.Figure.Svg()))],
                RemarkableRows.Of(task, models), FeatureImportance.Of(folder, plan, task, report, samples, run.Data), plan.Dataset.Test);
            AtomicFile.Write(page, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(html)));
            return page;
        }
        finally
        {
            foreach (var (_, _, figure) in figures) figure.Dispose();
        }
    }

    private static IEnumerable<(string File, string Title, Figure Figure)> Figures(
        RunFolder folder, TrainingPlan plan, LearningTask task, EvaluatedModels models)
    {
        var report = models.Report;
        if (Curves(folder, plan, report) is { } curves) yield return ("learning", "Training of the members", curves);
        foreach (var figure in TaskFigures.Of(task, models)) yield return figure;
    }

    /// <summary>[rows, width] of each model.</summary>
    private static double[][] TestAnswers(RunFolder folder, TrainingPlan plan, ImmutableArray<WeightFile> models, int samples, CancellationToken cancellation)
    {
        var constituents = new FolderConstituents(folder, plan, cancellation);
        var answers = models.Select(_ => AnswerArray.New(plan.Dataset.Test.Count, plan.Task.Width)).ToArray();
        foreach (var rows in RowRange.Of(plan, DataPart.Test))
        {
            var part = constituents.PredictAsync(models, samples, rows).AsTask().GetAwaiter().GetResult();
            for (var i = 0; i < answers.Length; i++) part.Values[i].CopyTo(answers[i], rows.Start * plan.Task.Width);
        }

        return answers;
    }

    private static Figure? Curves(RunFolder folder, TrainingPlan plan, EvaluationReport report)
    {
        var members = report.Weights.Select(file => file.Member).Distinct().Take(MostCurves)
            .Select(member => (Member: member, Lines: LinesOf(folder, member)))
            .Where(metrics => metrics.Lines.Length > 0).ToArray();
        if (members.Length == 0) return null;
        var schedules = members.Select(metrics => (plan.Spec.OfMember(metrics.Member).Training.Schedule.ToString(), plan.Of(metrics.Member).Steps)).Distinct().Count();
        var drawn = schedules == 1 ? members[..1] : members;
        return LearningCurvePlot.Draw(
            new LearningCurves(
                report.Run, [.. members.Select(metrics => metrics.Lines)], [.. drawn.SelectMany(metrics => plan.Of(metrics.Member).SnapshotSteps).Distinct().Order()],
                [.. members.Select(metrics => $"member {metrics.Member}")]),
            [.. drawn.Select(metrics => plan.Of(metrics.Member).LearningRate)]);
    }

    private static StepMetrics[] LinesOf(RunFolder folder, int member)
    {
        try
        {
            return [.. StepMetrics.AllOf(folder.ReadAllText(RunFolder.Metrics(member)), folder.Path(RunFolder.Metrics(member)))];
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}

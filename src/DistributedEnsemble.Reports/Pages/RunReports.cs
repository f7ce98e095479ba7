using System.Collections.Immutable;
using System.Text.Json;
using DistributedEnsemble.Training;
using static TorchSharp.torch;

namespace DistributedEnsemble.Reports;

/// <summary>Writes a page about one run, with its plots, into the run's folder.</summary>
public static class RunReports
{
    /// <summary>Of a run's folder.</summary>
    public const string Folder = "report";

    /// <summary>More curves or cells than these can no longer be told apart.</summary>
    private const int MostCurves = 10, MostModels = 100;

    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="load">Loads a dataset by its name.</param>
    /// <returns>The page's file.</returns>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="DataException">The data is missing, or is not what the run was trained on.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public static string Write(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, Func<DataSpec, DataDescription, Dataset> load, NetworkRegistry networks)
    {
        set_num_threads(1);
        var run = RunDescription.Read(folder);
        var plan = TrainingPlan.Restore(status.Run, new RunDefinition(run.Spec.ToJson(), run.Data.ToJson()), load, networks);
        var report = RunEvaluation.Evaluate(folder, status, choice, (_, _) => plan.Dataset, networks);
        var answers = TestAnswers(folder, plan, report.Weights, choice?.MonteCarloSamples ?? run.Spec.Prediction.MonteCarloSamples);
        List<(string File, string Title, Figure Figure)> figures = [.. Figures(folder, plan, report, answers)];
        try
        {
            foreach (var (file, _, figure) in figures) figure.Save(folder.Path(Folder), file);
            var page = folder.Path($"{Folder}/index.html");
            var html = RunPage.Write(status, run, report, [.. figures.Select(figure => (figure.Title, figure.Figure.Svg()))]);
            AtomicFile.Write(page, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(html)));
            return page;
        }
        finally
        {
            foreach (var (_, _, figure) in figures) figure.Dispose();
        }
    }

    private static IEnumerable<(string File, string Title, Figure Figure)> Figures(
        RunFolder folder, TrainingPlan plan, EvaluationReport report, float[][] answers)
    {
        var classes = plan.Task.Outputs;
        var labels = Measure.Labels(plan, DataPart.Test).ToArray();
        if (Curves(folder, plan, report) is { } curves) yield return ("learning", "Training of the members", LearningCurvePlot.Draw(curves, plan.LearningRate));
        var ensemble = Average(answers, report.Multiplicities);
        List<Reliability> reliability = [Reliability.Of("single models", answers, labels, classes), Reliability.Of("ensemble", [ensemble], labels, classes)];
        if (report.Calibrated is { } calibrated)
            reliability.Add(Reliability.Of("ensemble, calibrated", [TemperatureScaling.Apply(ensemble, classes, calibrated.Temperature)], labels, classes));
        yield return ("reliability", "Accuracy against confidence", ReliabilityPlot.Draw(reliability));
        if (answers.Length == 1) yield break;

        // Each model counts as often as in the whole, which is the last point.
        var sizes = answers.Select((_, i) => 1 - PredictionQuality.Of(Average(answers[..(i + 1)], report.Multiplicities), labels, classes).Accuracy).ToArray();
        var unit = report.Members == answers.Length ? "members" : "models";
        yield return ("error-by-size", $"Test error of the first {unit} together", SizeCurvePlot.Draw([new CurveResult($"first {unit}", [sizes])], unit));
        var shown = answers[..Math.Min(answers.Length, MostModels)];
        yield return ("disagreement", "Which models disagree", DisagreementPlot.Draw(
            Disagreements.Of([.. report.Weights.Take(shown.Length).Select(file => file.Member)], shown, labels)));
    }

    private static float[] Average(float[][] answers, IReadOnlyList<int> multiplicities)
    {
        var mean = new ProbabilityMean();
        for (var i = 0; i < answers.Length; i++) mean.Add(answers[i], multiplicities[i]);
        return mean.ToArray();
    }

    /// <summary>[rows, classes] of each model.</summary>
    private static float[][] TestAnswers(RunFolder folder, TrainingPlan plan, ImmutableArray<WeightFile> models, int samples)
    {
        var constituents = new FolderConstituents(folder, plan);
        var answers = models.Select(_ => new float[plan.Dataset.Test.Count * plan.Task.Outputs]).ToArray();
        foreach (var rows in RowRange.Of(plan, DataPart.Test))
        {
            var part = constituents.PredictAsync(models, samples, rows).AsTask().GetAwaiter().GetResult();
            for (var i = 0; i < answers.Length; i++) part.Values[i].CopyTo(answers[i], rows.Start * plan.Task.Outputs);
        }

        return answers;
    }

    private static LearningCurves? Curves(RunFolder folder, TrainingPlan plan, EvaluationReport report)
    {
        var members = report.Weights.Select(file => file.Member).Distinct().Take(MostCurves)
            .Select(member => folder.Path(RunFolder.Metrics(member))).Where(File.Exists)
            .Select(path => LinesOf(folder, path).Select(line => JsonSerializer.Deserialize<StepMetrics>(line, JsonSerializerOptions.Web)!).ToArray())
            .Where(lines => lines.Length > 0).ToArray();
        return members.Length == 0 ? null : new LearningCurves(report.Run, members, [.. plan.SnapshotSteps.Order()]);
    }

    private static string[] LinesOf(RunFolder folder, string path) =>
        RegularFile.ReadAllText(folder.Runs, path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>How sure a classification's models are, how their errors fall as they become more, and where they disagree.</summary>
internal static class ClassificationFigures
{
    /// <summary>More cells than these can no longer be told apart.</summary>
    private const int MostModels = 100;

    public static IEnumerable<(string File, string Title, Figure Figure)> Of(Classification task, EvaluatedModels models)
    {
        var ensemble = models.First(models.Count).Mean;
        List<Reliability> reliability =
            [Reliability.Of("single models", task, models.Answers, models.Targets), Reliability.Of("ensemble", task, [ensemble], models.Targets)];
        if (models.Report.Calibrated is not null)
            reliability.Add(Reliability.Of("ensemble, calibrated", task, [ensemble], models.Targets, isCalibrated: true));
        yield return ("reliability", "Accuracy against confidence", ReliabilityPlot.Draw(reliability));
        var cut = task.Classes.Count > RankingPlots.MostCurves ? $", for the {RankingPlots.MostCurves} of {task.Classes.Count} classes with the most rows" : "";
        yield return ("roc", $"How well the ensemble's probabilities order rows{cut}", RankingPlots.Roc(task, ensemble, models.Targets));
        yield return ("precision-recall", $"Precision against recall{cut}", RankingPlots.PrecisionRecall(task, ensemble, models.Targets));
        if (models.Count == 1) yield break;

        double[] errors = [.. models.BySize(task, "accuracy").Select(accuracy => 1 - accuracy)];
        yield return ("error-by-size", $"Test error of the first {models.Unit} together",
            SizeCurvePlot.Draw([new CurveResult($"first {models.Unit}", [errors])], models.Unit));
        if (!models.Report.EarlyExits.IsEmpty) yield return ("early-exit", "Test error of rows that ask no more members than they need",
            EarlyExitPlot.Draw(models.Report.EarlyExits, (models.Report.Ensemble, models.Report.Members), measures => 100 * (1 - measures["accuracy"]), "test error, %"));
        var shown = models.Answers[..Math.Min(models.Count, MostModels)];
        yield return ("disagreement", "Which models disagree", DisagreementPlot.Draw(
            Disagreements.Of(task, [.. models.Report.Weights.Take(shown.Length).Select(file => file.Member)], shown, models.Targets)));
    }
}

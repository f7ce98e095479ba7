using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>A regression's residuals, what its intervals hold, and how its error falls as the models become more.</summary>
internal static class RegressionFigures
{
    public static IEnumerable<(string File, string Title, Figure Figure)> Of(Regression task, EvaluatedModels models)
    {
        var mean = models.First(models.Count).Mean;
        yield return ("residuals", "Residuals against predictions", ResidualPlot.Draw(task, mean, models.Targets));
        List<(string Title, double[] Strangeness)> curves = [("mean of the single models", [.. models.Answers.SelectMany(answers => task.Strangeness(answers, models.Targets))])];
        curves.Add(("ensemble", task.Strangeness(mean, models.Targets)));
        if (models.Report.Calibrated?.Find("scale") is { } scale)
            curves.Add(("ensemble, calibrated", [.. curves[1].Strangeness.Select(strangeness => strangeness / scale)]));
        yield return ("coverage", "What the intervals hold", CoveragePlot.Draw(curves));
        if (models.Count == 1) yield break;
        yield return ("error-by-size", $"Test error of the first {models.Unit} together",
            SizeCurvePlot.DrawValues($"first {models.Unit}", models.BySize(task, "rmse"), models.Unit, "test RMSE"));
        if (!models.Report.EarlyExits.IsEmpty) yield return ("early-exit", "Test error of rows that ask no more members than they need",
            EarlyExitPlot.Draw(models.Report.EarlyExits, (models.Report.Ensemble, models.Report.Members), measures => measures["rmse"], "test RMSE"));
    }
}

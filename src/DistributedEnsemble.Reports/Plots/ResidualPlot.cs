using DistributedEnsemble.Training.Tasks;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>Truth less prediction against the prediction, within ± two of the predicted standard deviations: some 95 % of the rows.</summary>
internal static class ResidualPlot
{
    /// <summary>More points than these hide each other.</summary>
    private const int MostPoints = 2000;

    /// <param name="mean">[rows, width], of the ensemble.</param>
    public static Figure Draw(Regression task, double[] mean, float[] targets)
    {
        var outputs = task.Predict(mean).ToDictionary(output => output.Name, output => output.Numbers);
        var (predicted, deviations) = (outputs["mean"], outputs["standard_deviation"]);
        var step = Math.Max(1, (targets.Length + MostPoints - 1) / MostPoints);
        int[] rows = [.. Enumerable.Range(0, targets.Length).Where(row => row % step == 0).OrderBy(row => predicted[row])];
        double[] x = [.. rows.Select(row => (double)predicted[row])];
        double[] residuals = [.. rows.Select(row => task.Mean + task.Deviation * targets[row] - predicted[row])];

        var plot = PlotStyle.Create("Residuals of the ensemble", $"predicted {task.Target}".TrimEnd(), "truth − prediction");
        var bars = plot.Add.Scatter(
            [.. rows.SelectMany((row, i) => new[] { x[i], x[i], double.NaN })],
            rows.SelectMany(row => new[] { -2.0 * deviations[row], 2.0 * deviations[row], double.NaN }).ToArray());
        (bars.Color, bars.LineWidth, bars.MarkerSize, bars.LegendText) = (PlotStyle.Faint, 1.5f, 0, "± 2 standard deviations");
        var zero = plot.Add.HorizontalLine(0);
        (zero.Color, zero.LineWidth) = (PlotStyle.Grey, 1.5f);
        var points = plot.Add.ScatterPoints(x, residuals);
        (points.Color, points.MarkerSize, points.LegendText) = (PlotStyle.Colors[0].WithAlpha(0.6), 5, "rows of the test split");
        plot.ShowLegend(Alignment.UpperRight);
        return new Figure(plot);
    }
}

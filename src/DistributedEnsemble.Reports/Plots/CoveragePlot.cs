using DistributedEnsemble.Training.Tasks;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>The share of rows within intervals against the share that they shall hold: a calibrated model lies on the diagonal.</summary>
internal static class CoveragePlot
{
    private const int Points = 50;

    /// <param name="models">|truth − prediction| / standard deviation of each row.</param>
    public static Figure Draw(IReadOnlyList<(string Title, double[] Strangeness)> models)
    {
        var plot = PlotStyle.Create("Rows within the intervals", "rows that the intervals shall hold, %", "rows that they hold, %");
        var diagonal = plot.Add.Line(0, 0, 100, 100);
        (diagonal.Color, diagonal.LineWidth, diagonal.LegendText) = (PlotStyle.Grey, 1.5f, "as sure as right");
        double[] shares = [.. Enumerable.Range(1, Points - 1).Select(i => (double)i / Points)];
        foreach (var ((title, strangeness), color) in models.Zip(PlotStyle.Colors))
        {
            var line = plot.Add.Scatter(
                shares.Select(share => 100 * share).ToArray(),
                shares.Select(share => Normal.Quantile((1 + share) / 2)).Select(z => 100.0 * strangeness.Count(s => s <= z) / strangeness.Length).ToArray());
            (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (color, 2, 0, title);
        }

        plot.Axes.SetLimits(0, 100, 0, 100);
        plot.ShowLegend(Alignment.LowerRight);
        return new Figure(plot, 620, 560);
    }
}

using DistributedEnsemble.Reports.Experiments;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>Accuracy against confidence: a calibrated model lies on the diagonal (Guo et al., 2017, figure 1). Dots grow with the rows behind them.</summary>
public static class ReliabilityPlot
{
    /// <summary>Bins of fewer rows say more about chance than about the model.</summary>
    private const double SmallestShare = 0.002;

    public static Figure Draw(IReadOnlyList<Reliability> models)
    {
        var plot = PlotStyle.Create("Accuracy against confidence", "confidence, %", "accuracy, %");
        var diagonal = plot.Add.Line(0, 0, 100, 100);
        (diagonal.Color, diagonal.LinePattern, diagonal.LineWidth, diagonal.LegendText) = (PlotStyle.Grey, LinePattern.Dashed, 1.5f, "as sure as right");
        foreach (var (model, color) in models.Zip(PlotStyle.Colors))
        {
            var bins = model.Bins.Where(bin => bin.Share >= SmallestShare).ToList();
            var line = plot.Add.Scatter(
                bins.Select(bin => 100 * bin.Confidence).ToArray(), bins.Select(bin => 100 * bin.Accuracy).ToArray());
            (line.Color, line.LineWidth, line.MarkerSize) = (color, 1.5f, 0);
            line.LegendText = $"{model.Title} (ECE {100 * model.Ece:0.0} %)";
            foreach (var bin in bins)
            {
                var dot = plot.Add.Marker(100 * bin.Confidence, 100 * bin.Accuracy, size: 5 + 18 * (float)Math.Sqrt(bin.Share));
                dot.Color = color.WithAlpha(0.75);
            }
        }

        var lowest = models.SelectMany(model => model.Bins).Where(bin => bin.Share >= SmallestShare).Min(bin => Math.Min(bin.Confidence, bin.Accuracy));
        var start = Math.Max(0, Math.Floor(10 * lowest) * 10 - 2);
        plot.Axes.SetLimits(start, 102, start, 102);
        plot.ShowLegend(Alignment.LowerRight);
        return new Figure(plot, 620, 560);
    }
}

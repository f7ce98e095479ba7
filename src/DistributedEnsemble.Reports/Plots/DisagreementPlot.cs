using DistributedEnsemble.Reports.Experiments;
using ScottPlot;
using ScottPlot.Plottables;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>The share of rows for which two models differ, as a map: models of one member lie side by side.</summary>
public static class DisagreementPlot
{
    public static Figure Draw(Disagreements disagreements)
    {
        var (groups, matrix) = (disagreements.Groups, disagreements.Matrix);
        var count = groups.Count;
        var perMember = groups.Count(group => group == groups[0]);
        var plot = PlotStyle.Create(perMember > 1 ? "Disagreement of the members' snapshots" : "Disagreement of the members", "member", "member");
        var cells = new double[count, count];
        for (var i = 0; i < count; i++)
        {
            // A model agrees with itself: that cell is left blank, so that the colors show the others.
            for (var j = 0; j < count; j++) cells[i, j] = i == j ? double.NaN : 100 * matrix[i][j];
        }

        var map = plot.Add.Heatmap(cells);
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        map.NaNCellColor = Colors.White;
        map.Rectangle = new CoordinateRect(-0.5, count - 0.5, -0.5, count - 0.5);
        map.FlipVertically = false;
        // Of two models, and of such as differ alike, there is one number: a bar without a length has no ticks.
        var range = map.GetRange();
        if (range.Min == range.Max) map.ManualRange = new ScottPlot.Range(Math.Max(0, range.Min - 1), range.Max + 1);
        var bar = plot.Add.ColorBar(map);
        bar.Label = "rows with different classes, %";
        bar.LabelStyle.FontSize = 13;
        bar.LabelStyle.Bold = false;

        var starts = Enumerable.Range(0, count).Where(i => i == 0 || groups[i] != groups[i - 1]).ToList();
        foreach (var start in perMember > 1 ? starts.Skip(1) : [])
        {
            foreach (var line in new[] { (AxisLine)plot.Add.VerticalLine(start - 0.5), plot.Add.HorizontalLine(count - start - 0.5) })
            {
                line.Color = Colors.White;
                line.LineWidth = 1;
            }
        }

        double[] centers = [.. starts.Zip(starts.Skip(1).Append(count), (start, end) => (start + end - 1) / 2.0)];
        string[] names = [.. starts.Select(start => $"{groups[start]}")];
        plot.Axes.Bottom.SetTicks(centers, names);
        plot.Axes.Left.SetTicks([.. centers.Select(center => count - 1 - center)], names);
        plot.HideGrid();
        plot.Axes.SetLimits(-0.5, count - 0.5, -0.5, count - 0.5);
        return new Figure(plot, 680, 580);
    }
}

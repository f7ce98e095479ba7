using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Training.Schedules;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>The loss of a member's batches over its steps, over the learning rate that it was given, with its snapshots.</summary>
public static class LearningCurvePlot
{
    /// <summary>Logged steps that are averaged, as a share of all: single batches scatter.</summary>
    private const int WindowsPerRun = 40;

    /// <summary>A single line is no curve, and of a few it is good to see where they are.</summary>
    private const int FewLines = 20;

    private const int PointsOfRate = 2000;

    /// <param name="schedule">The exact learning rate; null draws what the metric lines say of it.</param>
    public static Figure Draw(LearningCurves curves, LearningRate? schedule = null)
    {
        var plot = PlotStyle.Create($"Training: {curves.Title}", "step", "loss of the batches, smoothed");
        var lines = curves.Members[0];
        DrawRate(plot, schedule is null ? [.. lines.Select(line => (line.Step, line.LearningRate))] : Rates(schedule, lines[^1].Step));
        var highest = 0.0;
        foreach (var (i, (member, color)) in curves.Members.Zip(Repeat(PlotStyle.Colors)).Index())
        {
            var smooth = Smooth([.. member.Select(line => (double)line.Loss)]);
            highest = Math.Max(highest, smooth.Max());
            var curve = plot.Add.Scatter(member.Select(line => (double)line.Step).ToArray(), smooth);
            if (curves.Names is { } names) curve.LegendText = names[i];
            // A colour that comes again is a thicker line.
            (curve.Color, curve.LineWidth, curve.MarkerSize) =
                (color.WithAlpha(curves.Members.Count > 1 ? 0.7 : 1), i < PlotStyle.Colors.Length ? 1.8f : 3.2f, member.Count <= FewLines ? 5 : 0);
        }

        foreach (var step in curves.Snapshots)
        {
            var mark = plot.Add.VerticalLine(step);
            (mark.Color, mark.LinePattern, mark.LineWidth) = (PlotStyle.Ink.WithAlpha(0.55), LinePattern.Dotted, 1.3f);
            if (step == curves.Snapshots[0]) mark.LegendText = "snapshot";
        }

        plot.Axes.SetLimits(0, lines[^1].Step * 1.01, 0, 1.05 * highest);
        plot.ShowLegend(Alignment.UpperRight);
        return new Figure(plot);
    }

    /// <summary>The rate lies behind the loss, as an area with an axis of its own.</summary>
    private static void DrawRate(Plot plot, IEnumerable<(int Step, double Rate)> points)
    {
        List<double> steps = [], rates = [];
        foreach (var (step, rate) in points)
        {
            // A restart is an edge, not a slope.
            if (rates.Count > 0 && rate > rates[^1])
            {
                steps.Add(step);
                rates.Add(rates[^1]);
            }

            steps.Add(step);
            rates.Add(rate);
        }

        var area = plot.Add.FillY([.. steps], new double[steps.Count], [.. rates]);
        area.FillColor = PlotStyle.Faint.WithAlpha(0.6);
        area.LineWidth = 0;
        area.LegendText = "learning rate";
        var axis = plot.Axes.Right;
        area.Axes.YAxis = axis;
        axis.Label.Text = "learning rate";
        axis.Label.FontSize = 14;
        axis.FrameLineStyle.IsVisible = true;
        plot.Axes.SetLimitsY(0, rates.Max() * 1.6, axis);
    }

    /// <summary>α(t) from the first step to the last, of each or of so many that a picture shows no gap.</summary>
    private static IEnumerable<(int Step, double Rate)> Rates(LearningRate schedule, int last)
    {
        var parts = Math.Min(last, PointsOfRate);
        return Enumerable.Range(0, parts + 1).Select(i => Math.Max(1, EqualParts.End(i, last, parts))).Distinct().Select(step => (step, schedule.At(step)));
    }

    private static double[] Smooth(double[] values)
    {
        var half = Math.Max(0, values.Length / WindowsPerRun / 2);
        return [.. values.Select((_, i) => values[Math.Max(0, i - half)..Math.Min(values.Length, i + half + 1)].Average())];
    }

    private static IEnumerable<Color> Repeat(Color[] colors)
    {
        for (var i = 0; ; i++) yield return colors[i % colors.Length];
    }
}

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

    /// <param name="schedules">The exact learning rate: one for all members, or one of each; empty draws what the metric lines say of it.</param>
    public static Figure Draw(LearningCurves curves, params IReadOnlyList<LearningRate> schedules)
    {
        var plot = PlotStyle.Create($"Training: {curves.Title}", "step", "loss of the batches, smoothed");
        var (lines, last) = (curves.Members[0], curves.Members.Max(member => member[^1].Step));
        if (schedules.Count > 1) DrawRates(plot, [.. schedules.Zip(curves.Members, (schedule, member) => Edges(Rates(schedule, member[^1].Step)))]);
        else DrawRate(plot, Edges(schedules is [var schedule] ? Rates(schedule, last) : lines.Select(line => (line.Step, line.LearningRate))));
        var (lowest, highest) = (0.0, 0.0);
        foreach (var (i, (member, color)) in curves.Members.Zip(Repeat(PlotStyle.Colors)).Index())
        {
            var smooth = Smooth([.. member.Select(line => (double)line.Loss)]);
            (lowest, highest) = (Math.Min(lowest, smooth.Min()), Math.Max(highest, smooth.Max()));
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

        // The log of a density above 1 is a loss below 0.
        var room = 0.05 * (highest - lowest);
        plot.Axes.SetLimits(0, last * 1.01, lowest < 0 ? lowest - room : 0, highest + room);
        plot.ShowLegend(Alignment.UpperRight);
        return new Figure(plot);
    }

    /// <summary>The rate lies behind the loss, as an area with an axis of its own.</summary>
    private static void DrawRate(Plot plot, (double[] Steps, double[] Rates) points)
    {
        var area = plot.Add.FillY(points.Steps, new double[points.Steps.Length], points.Rates);
        area.FillColor = PlotStyle.Faint.WithAlpha(0.6);
        area.LineWidth = 0;
        area.LegendText = "learning rate";
        area.Axes.YAxis = RateAxis(plot, points.Rates.Max());
    }

    /// <summary>Rates that differ are thin lines in the colours of their members.</summary>
    private static void DrawRates(Plot plot, (double[] Steps, double[] Rates)[] members)
    {
        var axis = RateAxis(plot, members.Max(member => member.Rates.Max()));
        foreach (var (i, ((steps, rates), color)) in members.Zip(Repeat(PlotStyle.Colors)).Index())
        {
            var line = plot.Add.ScatterLine(steps, rates);
            (line.Color, line.LineWidth, line.LinePattern, line.Axes.YAxis) = (color.WithAlpha(0.6), 1.2f, LinePattern.Dashed, axis);
            if (i == 0) line.LegendText = "learning rate";
        }
    }

    private static IYAxis RateAxis(Plot plot, double highest)
    {
        var axis = plot.Axes.Right;
        axis.Label.Text = "learning rate";
        axis.Label.FontSize = 14;
        axis.FrameLineStyle.IsVisible = true;
        plot.Axes.SetLimitsY(0, highest * 1.6, axis);
        return axis;
    }

    /// <summary>A restart is an edge, not a slope.</summary>
    private static (double[] Steps, double[] Rates) Edges(IEnumerable<(int Step, double Rate)> points)
    {
        List<double> steps = [], rates = [];
        foreach (var (step, rate) in points)
        {
            if (rates.Count > 0 && rate > rates[^1])
            {
                steps.Add(step);
                rates.Add(rates[^1]);
            }

            steps.Add(step);
            rates.Add(rate);
        }

        return ([.. steps], [.. rates]);
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

using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Experiments;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>Quality against the members that a row is asked of, with each point's probability of another prediction.</summary>
public static class EarlyExitPlot
{
    /// <param name="exits">By growing probability.</param>
    /// <param name="all">What all members together score, and how many they are.</param>
    /// <param name="value">What of a measurement is drawn.</param>
    public static Figure Draw(IReadOnlyList<EarlyExitMeasures> exits, (Measures Measures, int Members) all, Func<Measures, double> value, string axis)
    {
        var plot = PlotStyle.Create("Rows that stop asking members early", "members asked of a row, on average", axis);
        var points = exits.Select(exit => (exit.Members, Value: value(exit.Measures), Name: FormattableString.Invariant($"{exit.Probability}")))
            .Append((Members: (double)all.Members, Value: value(all.Measures), Name: "all members")).OrderBy(point => point.Members).ToList();
        var line = plot.Add.Scatter(points.Select(point => point.Members).ToArray(), points.Select(point => point.Value).ToArray());
        (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (PlotStyle.Colors[0], 2, 7, "by the probability of another prediction");
        var named = double.NegativeInfinity;
        foreach (var (members, y, name) in points.AsEnumerable().Reverse())
        {
            // Names of neighbours would lie on each other.
            if (Math.Abs(named - members) < 0.06 * all.Members) continue;
            named = members;
            var text = plot.Add.Text(name, members, y);
            (text.LabelFontSize, text.LabelAlignment, text.OffsetY) = (11, Alignment.LowerCenter, -6);
        }

        return Finish(plot);
    }

    /// <summary>Beside smaller ensembles; each the mean over the seeds that can promise the probability, if all can.</summary>
    public static Figure Draw(IReadOnlyList<EarlyExitResult> exits, IReadOnlyList<CurveResult> sizes)
    {
        var plot = PlotStyle.Create("Rows that stop asking members early", "members asked of a row, on average", "test error, %");
        foreach (var ((exit, size), color) in exits.Zip(sizes).Zip(PlotStyle.Colors))
        {
            var whole = plot.Add.Scatter(
                Enumerable.Range(1, size.BySeed[0].Count).Select(members => (double)members).ToArray(),
                Enumerable.Range(0, size.BySeed[0].Count).Select(i => 100 * size.BySeed.Average(errors => errors[i])).ToArray());
            (whole.Color, whole.LineWidth, whole.MarkerSize, whole.LegendText) = (color.WithAlpha(0.45), 1, 4, $"{size.Title}, all of so many members");
            var points = exit.BySeed.SelectMany(seed => seed).GroupBy(point => point.Probability).Where(point => point.Count() == exit.BySeed.Count).OrderBy(point => point.Key).ToList();
            var line = plot.Add.Scatter(points.Select(point => point.Average(one => one.Members)).ToArray(), points.Select(point => 100 * point.Average(one => one.Error)).ToArray());
            (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (color, 2, 7, $"{exit.Title}, early exit");
        }

        return Finish(plot);
    }

    private static Figure Finish(Plot plot)
    {
        plot.Axes.Margins(left: 0.08, right: 0.08, bottom: 0.1, top: 0.35);
        plot.ShowLegend(Alignment.UpperRight);
        return new Figure(plot);
    }
}

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
    public static Figure Draw(IReadOnlyList<EarlyExitResult> networks)
    {
        var plot = PlotStyle.Create("Rows that stop asking members early", "members asked of a row, on average", "test error, %");
        foreach (var (network, color) in networks.Zip(PlotStyle.Colors))
        {
            var sizes = Enumerable.Range(1, network.Size).ToArray();
            var whole = plot.Add.Scatter(sizes.Select(size => (double)size).ToArray(), sizes.Select(size => 100 * network.OfSeeds(seed => seed.Errors[size - 1]).Mean).ToArray());
            (whole.Color, whole.LineWidth, whole.MarkerSize, whole.LegendText) = (color.WithAlpha(0.45), 1, 4, $"{network.Title}, all of so many members");
            var line = plot.Add.Scatter(
                network.Probabilities.Select(probability => network.At(probability, (_, point) => point.Members).Mean).ToArray(),
                network.Probabilities.Select(probability => 100 * network.At(probability, (_, point) => point.Error).Mean).ToArray());
            (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (color, 2, 7, $"{network.Title}, early exit");
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

using DistributedEnsemble.Reports.Experiments;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>Error against the number of models, with the standard error over seeds as a band.</summary>
public static class SizeCurvePlot
{
    /// <param name="unit">What the ensembles are made of.</param>
    public static Figure Draw(IReadOnlyList<CurveResult> curves, string unit = "members")
    {
        var seeds = curves[0].BySeed.Count;
        var plot = PlotStyle.Create(
            "Error against the size of the ensemble", unit, $"test error, %{(seeds > 1 ? $"  (mean ± standard error, {seeds} seeds)" : "")}");
        foreach (var (curve, color) in curves.Zip(PlotStyle.Colors))
        {
            var estimates = Enumerable.Range(0, curve.BySeed[0].Count)
                .Select(i => Estimate.Of([.. curve.BySeed.Select(errors => 100 * errors[i])])).ToList();
            double[] sizes = [.. Enumerable.Range(1, estimates.Count).Select(size => (double)size)];
            if (seeds > 1)
            {
                var band = plot.Add.FillY(
                    sizes, [.. estimates.Select(e => e.Mean - e.StandardError!.Value)], [.. estimates.Select(e => e.Mean + e.StandardError!.Value)]);
                band.FillColor = color.WithAlpha(0.18);
                band.LineWidth = 0;
            }

            var line = plot.Add.Scatter(sizes, [.. estimates.Select(e => e.Mean)]);
            (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (color, 2, 7, curve.Title);
        }

        return Finish(plot);
    }

    /// <summary>One curve of a measure in its own units.</summary>
    /// <param name="values">Of ensembles of 1, 2, … models.</param>
    public static Figure DrawValues(string title, IReadOnlyList<double> values, string unit, string measure)
    {
        var plot = PlotStyle.Create("Error against the size of the ensemble", unit, measure);
        var line = plot.Add.Scatter(Enumerable.Range(1, values.Count).Select(size => (double)size).ToArray(), values.ToArray());
        (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (PlotStyle.Colors[0], 2, 7, title);
        return Finish(plot);
    }

    private static Figure Finish(Plot plot)
    {
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericFixedInterval(1);
        plot.Axes.Margins(left: 0.05, right: 0.05, bottom: 0.08, top: 0.3);
        plot.ShowLegend(Alignment.UpperRight);
        return new Figure(plot);
    }
}

using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>What all plots have in common.</summary>
internal static class PlotStyle
{
    /// <summary>Told apart by everyone (Okabe and Ito, 2008).</summary>
    public static Color[] Colors { get; } =
        [.. new[] { "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000" }.Select(Color.FromHex)];

    public static Color Ink { get; } = Color.FromHex("#222222");
    public static Color Faint { get; } = Color.FromHex("#D8DCE2");
    public static Color Grey { get; } = Color.FromHex("#8A919C");

    public static Plot Create(string title, string x, string y)
    {
        PlotFont.Install();
        var plot = new Plot();
        plot.Font.Set(PlotFont.Name);
        plot.FigureBackground.Color = ScottPlot.Colors.White;
        plot.Title(title, 16);
        plot.XLabel(x, 14);
        plot.YLabel(y, 14);
        (plot.Axes.Title.Label.Bold, plot.Axes.Title.Label.ForeColor) = (false, Ink);
        foreach (var axis in plot.Axes.GetAxes())
        {
            axis.Label.Bold = false;
            axis.Label.ForeColor = Ink;
            axis.TickLabelStyle.FontSize = 12;
            axis.TickLabelStyle.ForeColor = Ink;
            axis.FrameLineStyle.Color = Grey;
            axis.MajorTickStyle.Color = Grey;
            axis.MinorTickStyle.Length = 0;
        }

        plot.Axes.Top.FrameLineStyle.IsVisible = false;
        plot.Axes.Right.FrameLineStyle.IsVisible = false;
        plot.Grid.MajorLineColor = Faint.WithAlpha(0.7);
        plot.Legend.FontSize = 12;
        plot.Legend.OutlineColor = Faint;
        plot.Legend.ShadowColor = ScottPlot.Colors.Transparent;
        return plot;
    }
}

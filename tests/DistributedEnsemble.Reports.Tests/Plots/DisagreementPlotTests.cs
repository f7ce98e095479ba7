using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Reports.Plots;
using ScottPlot.Plottables;

namespace DistributedEnsemble.Reports.Tests.Plots;

public sealed class DisagreementPlotTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.25, 25)]
    public void Of_two_models_the_bar_of_colours_says_how_much_their_one_number_is(double share, double percent)
    {
        using var figure = DisagreementPlot.Draw(new Disagreements([0, 1], [[0, share], [share, 0]]));

        var range = figure.Plot.GetPlottables<Heatmap>().Single().GetRange();
        Assert.True(range.Max > range.Min);
        Assert.InRange(percent, range.Min, range.Max);
        Assert.Matches($@">\s*{percent}\s*</text>", figure.Svg());
    }
}

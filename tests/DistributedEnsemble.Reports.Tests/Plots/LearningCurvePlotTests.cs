using System.Text.RegularExpressions;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Schedules;

namespace DistributedEnsemble.Reports.Tests.Plots;

public sealed class LearningCurvePlotTests
{
    private const string RateColor = "#D8DCE2", LossColor = "#0072B2";

    [Fact]
    public void The_learning_rate_is_drawn_at_every_step_however_few_were_logged()
    {
        var schedule = new CyclicCosine(0.1, steps: 40, cycles: 4);

        // Both sides of an area over the steps 1 to 40, with an edge at each of three restarts.
        Assert.InRange(PointsOfRate(Curves(40), schedule), 2 * 43, 2 * 45);
        Assert.InRange(PointsOfRate(Curves(40), null), 0, 10);
    }

    [Fact]
    public void A_long_run_takes_no_more_points_than_a_picture_shows() =>
        Assert.InRange(PointsOfRate(Curves(1_000_000), new CyclicCosine(0.1, steps: 1_000_000, cycles: 1)), 2000, 4100);

    [Fact]
    public void The_loss_of_a_single_logged_step_can_be_seen()
    {
        using var figure = LearningCurvePlot.Draw(Curves(40), new CyclicCosine(0.1, steps: 40, cycles: 1));

        Assert.Contains($"fill=\"{LossColor}\"", figure.Svg(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_below_zero_lies_within_the_plot()
    {
        StepMetrics At(int step, float loss) => new(step, 1, 1e-3, loss, 0, new("rmse", 0.9));
        using var figure = LearningCurvePlot.Draw(new LearningCurves("r", [[At(1, 0.8f), At(40, -0.5f)]], [40]), new Constant(0.05));

        var limits = figure.Plot.Axes.GetLimits();

        Assert.InRange(limits.Bottom, -0.7, -0.51);
        Assert.InRange(limits.Top, 0.81, 1);
    }

    [Fact]
    public void Schedules_that_differ_are_dashed_lines_in_the_colours_of_their_members()
    {
        var (short_, long_) = (Curves(40), Curves(80));
        using var figure = LearningCurvePlot.Draw(
            new LearningCurves("r", [short_.Members[0], long_.Members[0]], [40, 80]), new CyclicCosine(0.1, steps: 40, cycles: 1), new Constant(0.05));

        // A dash is a shape of its own in an SVG.
        Assert.DoesNotMatch($"<path fill=\"{RateColor}\" fill-opacity", figure.Svg());
        Assert.All([LossColor, "#D55E00"], color => Assert.Matches($"<path fill=\"{color}\" fill-opacity=\"0.6", figure.Svg()));
    }

    private static int PointsOfRate(LearningCurves curves, LearningRate? schedule)
    {
        using var figure = LearningCurvePlot.Draw(curves, schedule is null ? [] : [schedule]);
        var area = Regex.Match(figure.Svg(), $"<path fill=\"{RateColor}\" fill-opacity=\"[0-9.]+\" d=\"(?<points>[^\"]*)\"");
        return area.Groups["points"].Value.Count(command => command is 'M' or 'L');
    }

    /// <summary>Of a member that logged its last step alone.</summary>
    private static LearningCurves Curves(int step) => new("r", [[new StepMetrics(step, 1, 1e-3, 0.5f, 0, new("accuracy", 0.9))]], [step]);
}

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

    private static int PointsOfRate(LearningCurves curves, LearningRate? schedule)
    {
        using var figure = LearningCurvePlot.Draw(curves, schedule);
        var area = Regex.Match(figure.Svg(), $"<path fill=\"{RateColor}\" fill-opacity=\"[0-9.]+\" d=\"(?<points>[^\"]*)\"");
        return area.Groups["points"].Value.Count(command => command is 'M' or 'L');
    }

    /// <summary>Of a member that logged its last step alone.</summary>
    private static LearningCurves Curves(int step) => new("r", [[new StepMetrics(step, 1, 1e-3, 0.5f, 0, new("accuracy", 0.9))]], [step]);
}

using DistributedEnsemble.Training.Tasks;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>How well probabilities order rows, class by class against the rest: the ROC curve, and precision against recall.</summary>
public static class RankingPlots
{
    /// <summary>More curves can no longer be told apart.</summary>
    internal const int MostCurves = 7;

    /// <param name="answers">[rows, classes], of an average.</param>
    public static Figure Roc(Classification task, double[] answers, ReadOnlySpan<float> targets)
    {
        var plot = PlotStyle.Create("ROC: each class against the rest", "false positive rate, %", "true positive rate, %");
        var diagonal = plot.Add.Line(0, 0, 100, 100);
        (diagonal.Color, diagonal.LinePattern, diagonal.LineWidth) = (PlotStyle.Grey, LinePattern.Dashed, 1.5f);
        foreach (var (curve, color) in Curves(task, answers, targets).Zip(PlotStyle.Colors))
            Draw(plot, FormattableString.Invariant($"{curve.Name}, area {Area(curve.Points):0.0000}"), [.. curve.Points.Select(point => (100 * point.FalsePositive, 100 * point.Recall))], color);
        return Finish(plot, Alignment.LowerRight);
    }

    /// <inheritdoc cref="Roc"/>
    public static Figure PrecisionRecall(Classification task, double[] answers, ReadOnlySpan<float> targets)
    {
        var plot = PlotStyle.Create("Precision against recall: each class against the rest", "recall, %", "precision, %");
        foreach (var (curve, color) in Curves(task, answers, targets).Zip(PlotStyle.Colors))
            Draw(plot, curve.Name, [.. curve.Points.Where(point => point.Recall > 0).Select(point => (100 * point.Recall, 100 * point.Precision))], color);
        return Finish(plot, Alignment.LowerLeft);
    }

    private static Figure Finish(Plot plot, Alignment legend)
    {
        plot.Axes.SetLimits(-1, 101, -1, 102);
        plot.ShowLegend(legend);
        return new Figure(plot, 620, 560);
    }

    private static void Draw(Plot plot, string name, (double X, double Y)[] points, Color color)
    {
        var line = plot.Add.Scatter(points.Select(point => point.X).ToArray(), points.Select(point => point.Y).ToArray());
        (line.Color, line.LineWidth, line.MarkerSize, line.LegendText) = (color, 1.6f, 0, name);
    }

    /// <summary>Of two classes the second, as the area under the curve is measured; of many, those that have the most rows.</summary>
    private static IEnumerable<(string Name, List<RankPoint> Points)> Curves(Classification task, double[] answers, ReadOnlySpan<float> targets)
    {
        var labels = targets.ToArray();
        var classes = task.Classes.Count == 2 ? [1] : Enumerable.Range(0, task.Classes.Count)
            .OrderByDescending(c => labels.Count(label => (int)label == c)).Take(MostCurves).Order().ToArray();
        var probabilities = task.Probabilities(answers);
        return classes.Where(c => labels.Any(label => (int)label == c) && labels.Any(label => (int)label != c))
            .Select(c => (task.Classes[c], Points(labels, c, row => probabilities[(row * task.Classes.Count) + c])));
    }

    private static List<RankPoint> Points(float[] labels, int positive, Func<int, double> score)
    {
        var order = Enumerable.Range(0, labels.Length).OrderByDescending(score).ToArray();
        double all = labels.Count(label => (int)label == positive), others = labels.Length - all;
        var (points, right, wrong) = (new List<RankPoint> { new(0, 0, 1) }, 0, 0);
        for (var i = 0; i < order.Length; i++)
        {
            if ((int)labels[order[i]] == positive) right++;
            else wrong++;
            // Rows of one score are taken together: no order among them is better than another.
            if (i + 1 < order.Length && score(order[i]) == score(order[i + 1])) continue;
            points.Add(new RankPoint(wrong / others, right / all, (double)right / (right + wrong)));
        }

        return points;
    }

    private static double Area(List<RankPoint> points) =>
        points.Zip(points.Skip(1), (one, next) => (next.FalsePositive - one.FalsePositive) * (one.Recall + next.Recall) / 2).Sum();

    private readonly record struct RankPoint(double FalsePositive, double Recall, double Precision);
}

using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Figures;
using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tasks;
using ScottPlot;
using ScottPlot.Plottables;

namespace DistributedEnsemble.Reports.Tests.Plots;

/// <summary>What a regression's figures draw, against what each row says of itself.</summary>
public sealed class RegressionFiguresTests
{
    private const int Rows = 300;
    private const double Mean = 200, Deviation = 25, Scale = 1.5;

    private static readonly int[] s_multiplicities = [2, 1, 1];
    private static readonly Random s_random = new(3);

    /// <summary>Of each model and row, standardised.</summary>
    private static readonly (double Mean, double Deviation)[][] s_models =
        [.. s_multiplicities.Select(_ => Enumerable.Range(0, Rows).Select(_ => (2 * s_random.NextDouble(), 0.1 + s_random.NextDouble())).ToArray())];

    private static readonly float[] s_targets = [.. Enumerable.Range(0, Rows).Select(_ => (float)(3 * s_random.NextDouble() - 0.5))];

    [Fact]
    public void A_residual_is_the_truth_less_the_mean_of_the_mixture_between_two_of_its_deviations()
    {
        using var figure = FigureOf("residuals");
        var (bars, points) = (PointsOf(figure, "± 2 standard deviations"), PointsOf(figure, "rows of the test split"));
        var expected = Enumerable.Range(0, Rows).Select(row => (Mixture(row), Target: s_targets[row])).OrderBy(row => row.Item1.Mean).ToArray();

        Assert.Equal(Rows, points.Count);
        for (var i = 0; i < Rows; i++)
        {
            var ((mean, deviation), target) = expected[i];
            Assert.Equal(Mean + (Deviation * mean), points[i].X, 1e-3);
            Assert.Equal(Deviation * (target - mean), points[i].Y, 1e-3);
            Assert.Equal([points[i].X, points[i].X], [bars[3 * i].X, bars[(3 * i) + 1].X]);
            Assert.Equal(-2 * Deviation * deviation, bars[3 * i].Y, 1e-3);
            Assert.Equal(2 * Deviation * deviation, bars[(3 * i) + 1].Y, 1e-3);
        }
    }

    [Theory]
    [InlineData(50, 0.674490)]
    [InlineData(90, 1.644854)]
    [InlineData(96, 2.053749)]
    public void A_coverage_is_the_share_of_rows_that_are_within_so_many_deviations(double percent, double deviations)
    {
        using var figure = FigureOf("coverage");

        Assert.Equal(Share(Enumerable.Range(0, Rows).Select(row => (Mixture(row), row)), 1), Drawn("ensemble"), 1e-9);
        Assert.Equal(Share(Enumerable.Range(0, Rows).Select(row => (Mixture(row), row)), Scale), Drawn("ensemble, calibrated"), 1e-9);
        Assert.Equal(Share(s_models.SelectMany(model => model.Select((one, row) => (one, row))), 1), Drawn("mean of the single models"), 1e-9);

        double Drawn(string title) => PointsOf(figure, title).Single(point => Math.Abs(point.X - percent) < 1e-9).Y;

        double Share(IEnumerable<((double Mean, double Deviation) Model, int Row)> answers, double scale) =>
            100 * answers.Average(one => Math.Abs(s_targets[one.Row] - one.Model.Mean) <= deviations * scale * one.Model.Deviation ? 1.0 : 0);
    }

    [Fact]
    public void The_error_of_so_many_models_is_that_of_their_mean()
    {
        using var figure = FigureOf("error-by-size");
        var points = figure.Plot.GetPlottables<Scatter>().Select(scatter => scatter.Data.GetScatterPoints()).First(points => points.Count == s_multiplicities.Length);

        for (var size = 1; size <= s_multiplicities.Length; size++)
        {
            var squares = Enumerable.Range(0, Rows).Average(row => Math.Pow(Deviation * (s_targets[row] - Mixture(row, size).Mean), 2));
            Assert.Equal((double)size, points[size - 1].X);
            Assert.Equal(Math.Sqrt(squares), points[size - 1].Y, 1e-3);
        }
    }

    private static Figure FigureOf(string file)
    {
        var task = (Regression)new Regression(Mean, Deviation, 0, 400) { Target = "price" }.For(new EnsembleSpec()).Fitted(Measures.Of(("scale", Scale)));
        var report = new EvaluationReport
        {
            Run = "r", Task = task.Name, Members = 3, Constituents = 3, Weights = [], Multiplicities = [.. s_multiplicities], Ensemble = Measures.Of(),
            Single = new SingleModels(Measures.Of(), null, null), Calibrated = Measures.Of(("scale", Scale)),
        };
        var answers = s_models.Select(model => model.SelectMany(row => new[] { row.Mean, row.Deviation * row.Deviation, row.Mean * row.Mean }).ToArray()).ToArray();
        Figure? found = null;
        foreach (var (name, _, figure) in RegressionFigures.Of(task, new EvaluatedModels(report, answers, s_targets)))
        {
            if (name == file) found = figure;
            else figure.Dispose();
        }

        return found!;
    }

    private static IReadOnlyList<Coordinates> PointsOf(Figure figure, string title) =>
        figure.Plot.GetPlottables<Scatter>().Single(scatter => scatter.LegendText == title).Data.GetScatterPoints();

    /// <summary>The moments of a row's density: the sum of those of the first models, each as often as it counts.</summary>
    private static (double Mean, double Deviation) Mixture(int row, int models = 3)
    {
        double count = s_multiplicities.Take(models).Sum(), mean = 0, square = 0;
        for (var i = 0; i < models; i++)
        {
            var (m, d) = s_models[i][row];
            mean += s_multiplicities[i] * m / count;
            square += s_multiplicities[i] * ((d * d) + (m * m)) / count;
        }

        return (mean, Math.Sqrt(square - (mean * mean)));
    }
}

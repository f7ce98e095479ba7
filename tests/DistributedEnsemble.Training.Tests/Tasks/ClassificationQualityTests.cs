using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

public sealed class ClassificationQualityTests
{
    [Fact]
    public void Metrics_of_three_rows_by_hand()
    {
        // Right with 0.7, wrong with 0.5, right with 1.
        var metrics = Of(3, [0.7, 0.2, 0.1, 0.25, 0.5, 0.25, 0, 0, 1], [0, 2, 2]);

        Assert.Equal(2 / 3.0, metrics["accuracy"], 1e-12);
        Assert.Equal(-(Math.Log(0.7) + Math.Log(0.25) + Math.Log(1)) / 3, metrics.Nll, 1e-7);
        Assert.Equal(((0.09 + 0.04 + 0.01) + (0.0625 + 0.25 + 0.5625) + 0) / 3, metrics["brier"], 1e-7);
        // Bins (10/15, 11/15], (7/15, 8/15] and (14/15, 1] hold a row each.
        Assert.Equal((0.3 + 0.5 + 0) / 3, metrics["ece"], 1e-7);
    }

    [Fact]
    public void Rows_of_one_bin_are_averaged_before_they_are_compared()
    {
        // Four rows between 9/15 and 10/15: three right, one wrong.
        var metrics = Of(2, [0.61, 0.39, 0.62, 0.38, 0.63, 0.37, 0.64, 0.36], [0, 0, 0, 1]);

        Assert.Equal(Math.Abs(0.625 - 0.75), metrics["ece"], 1e-7);
    }

    [Fact]
    public void The_last_of_15_bins_holds_certainty_and_neighbouring_bins_are_kept_apart()
    {
        // 0.95 and 1 share bin (14/15, 1]; between 0.66 and 0.67 lies 10/15.
        Assert.Equal((1.95 / 2) - 0.5, Of(2, [1, 0, 0.95, 0.05], [0, 1])["ece"], 1e-7);
        Assert.Equal((0.34 + 0.67) / 2, Of(2, [0.66, 0.34, 0.67, 0.33], [0, 1])["ece"], 1e-7);
    }

    [Fact]
    public void A_sure_and_wrong_row_counts_as_the_smallest_probability()
    {
        var metrics = Of(2, [1, 0], [1]);

        Assert.Equal(-Math.Log(float.Epsilon), metrics.Nll);
        Assert.Equal((0, 2, 1), (metrics["accuracy"], metrics["brier"], metrics["ece"]));
    }

    [Fact]
    public void Rows_added_in_parts_count_as_added_at_once()
    {
        double[] rows = [0.7, 0.3, 0.4, 0.6, 0.1, 0.9];
        var parts = new ClassificationQuality(TestTasks.Classes(2));
        parts.Add(AnswerRows.Of(TestTasks.Answers(2, rows.AsSpan(0, 2))), [0]);
        parts.Add(AnswerRows.Of(TestTasks.Answers(2, rows.AsSpan(2, 4))), [0, 1]);

        Assert.Equal(Of(2, rows, [0, 0, 1]), parts.Result());
    }

    [Fact]
    public void Measures_of_nothing_are_refused() =>
        Assert.Throws<InvalidOperationException>(() => new ClassificationQuality(TestTasks.Classes(2)).Result());

    /// <summary>
    /// Ten rows, truth   0 0 0 0 1 1 1 2 2 2
    ///            named  0 0 0 1 1 1 2 2 2 0
    /// </summary>
    [Fact]
    public void What_is_said_of_each_class_is_that_of_a_table_counted_by_hand()
    {
        float[] truth = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
        int[] named = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0];
        var quality = new ClassificationQuality(TestTasks.Classes(4));
        quality.Add(AnswerRows.Of(TestTasks.Answers(4, [.. named.SelectMany(n => Enumerable.Range(0, 4).Select(c => c == n ? 0.7 : 0.1))])), truth);

        var (measures, classes) = (quality.Result(), quality.Classes);

        Assert.Equal([[3, 1, 0, 0], [0, 2, 1, 0], [1, 0, 2, 0], [0, 0, 0, 0]], classes.Confusion.Select(row => row.ToArray()));
        Assert.Equal([3 / 4.0, 2 / 3.0, 2 / 3.0, null], classes.Precision);
        Assert.Equal([3 / 4.0, 2 / 3.0, 2 / 3.0, null], classes.Recall);
        Assert.Equal((0.75 + 2 / 3.0 + 2 / 3.0) / 3, measures["balancedAccuracy"], 1e-12);
        // Precision and recall of each class are equal, and so is their harmonic mean.
        Assert.Equal((0.75 + 2 / 3.0 + 2 / 3.0) / 3, measures["f1"], 1e-12);
        Assert.Null(measures.Find("auc"));
    }

    [Fact]
    public void The_area_under_the_curve_counts_pairs_in_order_and_ties_as_halves()
    {
        // Scores of class 1: positives 0.8 0.4 0.4, negatives 0.4 0.2; of the six pairs 4 are in order and 2 are ties.
        var measures = Of(2, [0.2, 0.8, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.8, 0.2], [1, 1, 1, 0, 0]);

        Assert.Equal(5 / 6.0, measures["auc"], 1e-12);
    }

    [Fact]
    public void Of_more_than_two_classes_the_area_is_the_mean_of_each_against_the_rest()
    {
        // Against the rest: class 0 orders 2 of 2 pairs, class 1 orders 1 of 2, class 2 orders 1 of 2.
        var measures = Of(3, [0.6, 0.3, 0.1, 0.2, 0.35, 0.45, 0.1, 0.5, 0.4], [0, 1, 2]);

        Assert.Equal((1 + 0.5 + 0.5) / 3, measures["auc"], 1e-12);
    }

    private static Measures Of(int classes, double[] probabilities, float[] labels) =>
        ClassificationQuality.Of(TestTasks.Classes(classes), TestTasks.Answers(classes, probabilities), labels);
}

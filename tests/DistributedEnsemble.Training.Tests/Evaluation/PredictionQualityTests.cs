namespace DistributedEnsemble.Training.Tests.Evaluation;

public sealed class PredictionQualityTests
{
    [Fact]
    public void Metrics_of_three_rows_by_hand()
    {
        // Right with 0.7, wrong with 0.5, right with 1.
        var metrics = Of(3, [0.7f, 0.2f, 0.1f, 0.25f, 0.5f, 0.25f, 0, 0, 1], [0, 2, 2]);

        Assert.Equal(2 / 3.0, metrics.Accuracy, 1e-12);
        Assert.Equal(-(Math.Log(0.7) + Math.Log(0.25) + Math.Log(1)) / 3, metrics.Nll, 1e-7);
        Assert.Equal(((0.09 + 0.04 + 0.01) + (0.0625 + 0.25 + 0.5625) + 0) / 3, metrics.Brier, 1e-7);
        // Bins (10/15, 11/15], (7/15, 8/15] and (14/15, 1] hold a row each.
        Assert.Equal((0.3 + 0.5 + 0) / 3, metrics.Ece, 1e-7);
    }

    [Fact]
    public void Rows_of_one_bin_are_averaged_before_they_are_compared()
    {
        // Four rows between 9/15 and 10/15: three right, one wrong.
        var metrics = Of(2, [0.61f, 0.39f, 0.62f, 0.38f, 0.63f, 0.37f, 0.64f, 0.36f], [0, 0, 0, 1]);

        Assert.Equal(Math.Abs(0.625 - 0.75), metrics.Ece, 1e-7);
    }

    [Fact]
    public void The_last_of_15_bins_holds_certainty_and_neighbouring_bins_are_kept_apart()
    {
        // 0.95 and 1 share bin (14/15, 1]; between 0.66 and 0.67 lies 10/15.
        Assert.Equal((1.95 / 2) - 0.5, Of(2, [1, 0, 0.95f, 0.05f], [0, 1]).Ece, 1e-7);
        Assert.Equal((0.34 + 0.67) / 2, Of(2, [0.66f, 0.34f, 0.67f, 0.33f], [0, 1]).Ece, 1e-7);
    }

    [Fact]
    public void A_sure_and_wrong_row_counts_as_the_smallest_probability()
    {
        var metrics = Of(2, [1, 0], [1]);

        Assert.Equal(-Math.Log(float.Epsilon), metrics.Nll);
        Assert.Equal((0, 2, 1), (metrics.Accuracy, metrics.Brier, metrics.Ece));
    }

    [Fact]
    public void Rows_added_in_parts_count_as_added_at_once()
    {
        float[] rows = [0.7f, 0.3f, 0.4f, 0.6f, 0.1f, 0.9f];
        var parts = new PredictionQuality(2);
        parts.Add(rows.AsSpan(0, 2), [0]);
        parts.Add(rows.AsSpan(2, 4), [0, 1]);

        Assert.Equal(Of(2, rows, [0, 0, 1]), parts.Result());
    }

    [Fact]
    public void Metrics_of_nothing_are_refused() => Assert.Throws<InvalidOperationException>(() => new PredictionQuality(2).Result());

    private static PredictionMetrics Of(int classes, float[] probabilities, float[] labels)
    {
        var quality = new PredictionQuality(classes);
        quality.Add(probabilities, labels);
        return quality.Result();
    }
}

namespace DistributedEnsemble.Training.Tests.Evaluation;

public sealed class UncertaintyAndDiversityTests
{
    [Fact]
    public void Models_that_are_sure_of_different_classes_have_mutual_information_and_models_that_agree_have_none()
    {
        var sure = ConstituentAnswers.Of([new([1, 0], [0]), new([0, 1], [0])]);
        var agreed = ConstituentAnswers.Of([new([0.5f, 0.5f], [MathF.Log(2)]), new([0.5f, 0.5f], [MathF.Log(2)])]);

        Assert.Equal(new UncertaintyMetrics(Math.Log(2), 0, Math.Log(2)), Of(sure, [1, 1]));
        Assert.Equal(0, Of(agreed, [1, 1]).MutualInformation, 1e-6);
        Assert.Equal(Math.Log(2), Of(agreed, [1, 1]).ExpectedEntropy, 1e-6);
    }

    [Fact]
    public void A_model_that_counts_three_times_weighs_three_times()
    {
        var answers = ConstituentAnswers.Of([new([1, 0], [0.1f]), new([0, 1], [0.5f])]);

        var mean = answers.Mean([3, 1]);

        Assert.Equal([0.75f, 0.25f], mean.Probabilities);
        Assert.Equal(0.2f, mean.ExpectedEntropies[0], 1e-6);
    }

    [Fact]
    public void Disagreement_and_error_correlation_are_those_of_a_table_counted_by_hand()
    {
        // Six rows of class 0; the models name      0 0 0 1 1 2
        //                                     and   0 0 1 1 2 0
        var diversity = new PairwiseDiversity(2, 6);
        diversity.Add(0, 0, Named(0, 0, 0, 1, 1, 2), new float[6]);
        diversity.Add(1, 0, Named(0, 0, 1), new float[3]);
        diversity.Add(1, 3, Named(1, 2, 0), new float[3]);

        // They differ on three rows. Right and wrong: both wrong 2, only the first 1, only the second 1, both right 2.
        var expected = (2 * 2 - 1 * 1) / Math.Sqrt(3.0 * 3 * 3 * 3);
        Assert.Equal(3 / 6.0, diversity.Result()!.Disagreement);
        Assert.Equal(expected, diversity.Result()!.ErrorCorrelation!.Value, 1e-12);
        Assert.Equal(1, diversity.ErrorCorrelation(1, 1)!.Value, 1e-12);
    }

    [Fact]
    public void A_model_without_errors_has_no_error_correlation_and_a_single_model_no_diversity()
    {
        var diversity = new PairwiseDiversity(2, 2);
        diversity.Add(0, 0, Named(0, 0), new float[2]);
        diversity.Add(1, 0, Named(0, 1), new float[2]);

        Assert.Null(diversity.Result()!.ErrorCorrelation);
        Assert.Equal(0.5, diversity.Result()!.Disagreement);
        Assert.Null(new PairwiseDiversity(1, 2).Result());
    }

    private static UncertaintyMetrics Of(ConstituentProbabilities answers, int[] multiplicities)
    {
        var mean = new UncertaintyMean();
        mean.Add(answers.Mean(multiplicities), 2);
        return mean.Result();
    }

    private static float[] Named(params int[] classes) => [.. classes.SelectMany(named => new[] { 0, 1, 2 }.Select(c => c == named ? 1f : 0f))];
}

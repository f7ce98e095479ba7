using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

public sealed class ClassUncertaintyAndDiversityTests
{
    [Fact]
    public void Models_that_are_sure_of_different_classes_have_mutual_information_and_models_that_agree_have_none()
    {
        var (sure, agreed) = (Of([1, 0], [0, 1]), Of([0.5, 0.5], [0.5, 0.5]));

        Assert.Equal(Measures.Of(("entropy", Math.Log(2)), ("expectedEntropy", 0), ("mutualInformation", Math.Log(2))), sure);
        Assert.Equal(0, agreed["mutualInformation"], 1e-12);
        Assert.Equal(Math.Log(2), agreed["expectedEntropy"], 1e-12);
    }

    [Fact]
    public void A_model_that_counts_three_times_weighs_three_times() =>
        Assert.Equal([0.75, 0.25, 0.2], AnswerRows.Of([new[] { 1, 0, 0.1 }, new[] { 0, 1, 0.5 }], [3, 1]).Mean, (a, b) => Math.Abs(a - b) < 1e-15);

    [Fact]
    public void Disagreement_and_error_correlation_are_those_of_a_table_counted_by_hand()
    {
        // Six rows of class 0; the models name      0 0 0 1 1 2
        //                                     and   0 0 1 1 2 0
        var diversity = new ClassDiversity(TestTasks.Classes(3), 2, 6);
        diversity.Add(0, 0, Named(0, 0, 0, 1, 1, 2), new float[6]);
        diversity.Add(1, 0, Named(0, 0, 1), new float[3]);
        diversity.Add(1, 3, Named(1, 2, 0), new float[3]);

        // They differ on three rows. Right and wrong: both wrong 2, only the first 1, only the second 1, both right 2.
        var expected = (2 * 2 - 1 * 1) / Math.Sqrt(3.0 * 3 * 3 * 3);
        Assert.Equal(3 / 6.0, diversity.Result()!["disagreement"]);
        Assert.Equal(expected, diversity.Result()!["errorCorrelation"], 1e-12);
        Assert.Equal(1, diversity.ErrorCorrelation(1, 1)!.Value, 1e-12);
    }

    [Fact]
    public void A_model_without_errors_has_no_error_correlation_and_a_single_model_no_diversity()
    {
        var diversity = new ClassDiversity(TestTasks.Classes(3), 2, 2);
        diversity.Add(0, 0, Named(0, 0), new float[2]);
        diversity.Add(1, 0, Named(0, 1), new float[2]);

        Assert.Null(diversity.Result()!.Find("errorCorrelation"));
        Assert.Equal(0.5, diversity.Result()!["disagreement"]);
        Assert.Null(new ClassDiversity(TestTasks.Classes(3), 1, 2).Result());
    }

    private static Measures Of(params double[][] models)
    {
        var task = TestTasks.Classes(2);
        var uncertainty = task.Uncertainty();
        uncertainty.Add(AnswerRows.Of([.. models.Select(p => (ReadOnlyMemory<double>)TestTasks.Answers(2, p))], [.. models.Select(_ => 1)]), [0]);
        return uncertainty.Result();
    }

    private static double[] Named(params int[] classes) =>
        TestTasks.Answers(3, [.. classes.SelectMany(named => new[] { 0, 1, 2 }.Select(c => c == named ? 1.0 : 0))]);
}

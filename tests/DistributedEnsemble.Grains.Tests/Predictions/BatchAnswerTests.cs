using System.Collections.Immutable;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class BatchAnswerTests
{
    private static readonly ImmutableArray<double> s_sure = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0], s_unsure = [.. Enumerable.Repeat(0.1, 10)];

    [Fact]
    public void A_row_whose_answer_is_not_a_number_is_refused_and_harms_no_other_row()
    {
        var answers = Answers([[.. s_sure, .. Enumerable.Repeat(double.NaN, 10)]], (0, 1));

        var refused = Assert.Throws<RunRejectedException>(() => Part(answers, 1));

        Assert.Equal("The model's answer to row 0 is not a number: the row's numbers are too large for this run's data.", refused.Message);
        Assert.Equal(Floats(s_sure), Part(answers, 0)["probabilities"].Numbers);
    }

    [Fact]
    public void A_member_counts_with_all_of_its_constituents_or_not_at_all()
    {
        var answers = Answers([s_sure, [], s_unsure, s_unsure], (0, 1), (0, 2), (1, 1), (1, 2));

        var part = Part(answers, 0);

        Assert.Equal([1], part.MembersUsed);
        Assert.Equal(2, part.Constituents);
        Assert.Equal(Floats(s_unsure), part["probabilities"].Numbers);
        Assert.Equal(Floats(s_unsure), Assert.Single(part.Members).Outputs[0].Numbers);
    }

    [Fact]
    public void Sure_models_that_disagree_have_mutual_information_and_unsure_ones_that_agree_have_none()
    {
        var disagree = Part(Answers([s_sure, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]], (0, 1), (1, 1)), 0);
        var agree = Part(Answers([s_unsure, s_unsure], (0, 1), (1, 1)), 0);

        Assert.Equal(Math.Log(2), disagree["entropy"].Numbers[0], 1e-6);
        Assert.Equal(Math.Log(2), disagree["mutual_information"].Numbers[0], 1e-6);
        Assert.Equal(Math.Log(10), agree["entropy"].Numbers[0], 1e-6);
        Assert.Equal(0, agree["mutual_information"].Numbers[0], 1e-6);
    }

    private static Prediction Part(BatchAnswer answers, int first) =>
        answers.Part(first, new BatchRequest(new ConstituentSelection([], [], 0, null), new PredictionRequest([]) { PerMember = true }, Count: 1));

    private static BatchAnswer Answers(ImmutableArray<double>[] probabilities, params (int Member, int Step)[] constituents)
    {
        var plan = Specs.Plan(Specs.Small);
        var definition = new RunDefinition(plan.Spec.ToJson(), DataDescription.Of(plan).ToJson());
        var selection = new ConstituentSelection(
            [.. constituents.Select(c => new WeightFile(c.Member, c.Step, "file", "sha"))], [.. constituents.Select(_ => 1)], 0, null);
        return new BatchAnswer(
            RunModel.Of(definition, new NetworkRegistry()), selection,
            new ConstituentAnswers([.. probabilities.Select(WithEntropies)]));
    }

    private static ImmutableArray<double> WithEntropies(ImmutableArray<double> probabilities) =>
        [.. probabilities.ToArray().Chunk(10).SelectMany(row => row.Append(Uncertainty.Entropy(row)))];

    private static float[] Floats(ImmutableArray<double> numbers) => [.. numbers.Select(number => (float)number)];
}

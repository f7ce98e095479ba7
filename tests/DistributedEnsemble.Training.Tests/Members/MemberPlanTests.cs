using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tests.Members;

/// <summary>Members that differ: what each is trained by depends on no other.</summary>
public sealed class MemberPlanTests
{
    private const string Variants = """
        [
          { "training": { "epochs": 2, "batchSize": 64, "optimizer": { "kind": "adam" } } },
          { "model": { "hidden": [7] }, "regularization": { "dropout": null, "l2": 0 } },
          { "model": { "kind": "lenet" }, "training": { "schedule": { "kind": "cyclic-cosine", "cycles": 2 } } }
        ]
        """;

    private static readonly (string, string) s_variants = ("variants", Variants);

    [Theory]
    [InlineData(0, "training.epochs=2 training.batchSize=64 training.optimizer.kind=adam training.schedule.learningRate=0.001")]
    [InlineData(1, "model.hidden=[7] regularization.dropout=null regularization.l2=0")]
    [InlineData(2, "model.kind=lenet training.schedule.kind=cyclic-cosine training.schedule.cycles=2")]
    public void A_member_has_the_bits_that_it_has_in_a_run_of_its_variant_alone(int member, string settings)
    {
        // As a dataset's defaults do, what the run says of a kind goes with that kind.
        var small = member == 2 ? Plans.Small.Replace("\"kind\": \"mlp\", \"hidden\": [19, 13]", "") : Plans.Small;
        var alone = Plans.Of(small, [.. settings.Split(' ').Select(SpecDocument.ParseSetting)]);
        Assert.Equal(Trained(alone, member), Trained(Plans.Of(Plans.Small, s_variants), member));
    }

    [Fact]
    public void A_member_goes_on_from_its_checkpoint_with_the_same_bits()
    {
        var plan = Plans.Of(Plans.Small, s_variants, ("data.folds", "3"), ("data.bootstrap", "true"));
        for (var member = 0; member < 3; member++)
        {
            using var first = new MemberTraining(plan, member);
            while (first.Step < plan.Of(member).Steps / 2) first.Advance();
            using var checkpoint = first.CopyCheckpoint();
            using var second = new MemberTraining(plan, member, checkpoint);
            Assert.Equal(Trained(plan, member), second.TrainTo(plan, int.MaxValue));
        }
    }

    [Fact]
    public void Steps_snapshots_and_networks_are_the_members_own()
    {
        var plan = Plans.Of(Plans.Small, s_variants, ("members", "4"));
        Assert.Equal([42, 39, 39, 42], plan.Members.Select(member => member.Steps));
        Assert.Equal([1, 1, 2, 1], plan.Members.Select(member => member.SnapshotSteps.Count));
        Assert.Same(plan.Of(0).Network, plan.Of(3).Network);
        Assert.True(plan.Of(2).Network.StepCost(100) > 2 * plan.Of(1).Network.StepCost(100));
    }

    [Fact]
    public void What_does_not_fit_the_data_is_told_with_the_variants_number()
    {
        Assert.Equal(
            "variants[1].snapshots.perMember is 9999: a member has only 39 steps. Take fewer snapshots or train longer.",
            Assert.Throws<SpecException>(() => Plans.Of(Plans.Small, ("variants", """[{}, { "snapshots": { "perMember": 9999 } }]"""))).Message);
        Assert.Equal(
            "variants[1].data.columns is 0.5: only the rows of tables have features to choose among, and these are images (leave it out).",
            Assert.Throws<SpecException>(() => Plans.Of(Plans.Small, ("variants", """[{}, { "data": { "columns": 0.5 } }]"""))).Message);
    }

    [Fact]
    public void Monte_Carlo_prediction_asks_for_dropout_in_one_member_at_least()
    {
        var settings = new[] { ("regularization.dropout", "null"), ("prediction.monteCarloSamples", "3") };
        _ = Plans.Of(Plans.Small, [.. settings, ("variants", """[{}, { "regularization": { "dropout": {} } }]""")]);
        Assert.StartsWith("prediction.monteCarloSamples is 3: Monte-Carlo prediction averages over dropout masks", Assert.Throws<SpecException>(
            () => Plans.Of(Plans.Small, [.. settings, ("variants", """[{}, { "training": { "epochs": 1 } }]""")])).Message, StringComparison.Ordinal);
    }

    private static string Trained(TrainingPlan plan, int member)
    {
        using var training = new MemberTraining(plan, member);
        return training.TrainTo(plan, int.MaxValue);
    }
}

using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Members;

/// <summary>What only shows once the data is there is refused before anything is trained.</summary>
public sealed class TrainingPlanTests
{
    [Fact]
    public void A_run_of_former_times_in_bfloat16_is_evaluated_and_trained_no_further()
    {
        var today = Plans.Of(Plans.Small);
        var spec = EnsembleSpec.FromJson(today.Spec.ToJson().Replace("\"kernels\"", "\"precision\": \"bfloat16\", \"kernels\"", StringComparison.Ordinal));
        var plan = new TrainingPlan(spec, today.Dataset, new NetworkRegistry());
        using var weights = Weights.Initialize(plan.Of(0).Network.Layout, plan.Random, 0);

        Assert.Equal(
            BatchedPrediction.OfRows(Predictors.Create(today, weights, 0, 0), today.Dataset.Test, 0, 5, TestContext.Current.CancellationToken),
            BatchedPrediction.OfRows(Predictors.Create(plan, weights, 0, 0), plan.Dataset.Test, 0, 5, TestContext.Current.CancellationToken));
        Assert.Equal(
            "training.precision is bfloat16: nothing trains in it any more. Evaluate the run and predict with the models that it has, or start a new "
            + "one, which computes in float32.",
            Assert.Throws<SpecException>(() => new MemberTraining(plan, 0)).Message);
    }

    /// <summary>Former ones had seen the validation rows.</summary>
    [Fact]
    public void A_run_that_was_started_before_has_the_bins_that_it_recorded()
    {
        var today = Plans.Of(MixedSpecs.TabMNumber);
        var data = DataDescription.Of(today);
        NumberInput[] recorded = [.. data.Numbers!.Select(number => new NumberInput(number.Place, [.. number.Edges.Select(edge => edge + 1)]))];
        var definition = new RunDefinition(today.Spec.ToJson(), (data with { Version = 2, Numbers = recorded }).ToJson());

        var plan = TrainingPlan.Restore("former", definition, (_, _) => today.Dataset, new NetworkRegistry());

        Assert.Equal(recorded.SelectMany(number => number.Edges), plan.Inputs.Numbers.Value.SelectMany(number => number.Edges));
        Assert.NotEqual(recorded[0].Edges, today.Inputs.Numbers.Value[0].Edges);
    }

    [Fact]
    public void Greedy_selection_on_so_small_a_share_that_no_row_is_held_back_is_refused() => Assert.Equal(
        "prediction.select is \"greedy\": greedy selection needs validation rows, and data.validationFraction 0.0001 of 1437 rows is none "
        + "(raise it, or select all).",
        Assert.Throws<SpecException>(
            () => Plans.Of(Plans.Small, ("prediction.select", "greedy"), ("data.validationFraction", "0.0001"))).Message);

    [Fact]
    public void Monte_carlo_prediction_with_a_registered_network_that_has_no_dropout_is_refused()
    {
        var networks = new NetworkRegistry();
        networks.Add("plain", (_, classes, _) => [new Flatten(), new Dense(classes)]);
        using var digits = new Digits().Load(new DataFolders());
        var spec = SpecDocument.Parse("""
            { "model": { "kind": "plain" }, "regularization": { "dropout": { "rate": 0.5 } }, "prediction": { "monteCarloSamples": 20 } }
            """).Resolve(new Digits().Defaults, networks.Kinds);

        Assert.Equal(
            "prediction.monteCarloSamples is 20: Monte-Carlo prediction averages over dropout masks, and model.kind \"plain\" builds a "
            + "network without dropout (choose another kind, or 0 samples).",
            Assert.Throws<SpecException>(() => new TrainingPlan(spec, digits, networks)).Message);
    }
}

namespace DistributedEnsemble.Training.Tests.Members;

/// <summary>What only shows once the data is there is refused before anything is trained.</summary>
public sealed class TrainingPlanTests
{
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

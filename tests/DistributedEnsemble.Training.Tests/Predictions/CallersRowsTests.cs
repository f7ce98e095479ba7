using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Predictions;

/// <summary>Many models are asked for the same rows, and need not copy them.</summary>
public sealed class CallersRowsTests
{
    [Theory]
    [InlineData("\"mlp\", \"hidden\": [8]", "null")]
    [InlineData("\"mlp\", \"hidden\": [8]", "{ \"rate\": 0.5 }")]
    [InlineData("\"mlp\", \"hidden\": [8]", "{ \"rate\": 0.5, \"inputRate\": 0.2 }")]
    [InlineData("\"mlp\", \"hidden\": [8]", "{ \"rate\": 0.5, \"inputRate\": 0.2, \"kind\": \"vanilla\" }")]
    [InlineData("\"tabm\", \"hidden\": [8]", "null")]
    [InlineData("\"lenet\"", "{ \"rate\": 0.5, \"inputRate\": 0.2 }")]
    [InlineData("\"resnet\"", "null")]
    public void A_prediction_leaves_the_rows_as_they_are(string model, string dropout)
    {
        const int Rows = 5;
        var plan = Plans.Of($$"""{ "data": { "dataset": "digits" }, "model": { "kind": {{model}} }, "regularization": { "dropout": {{dropout}} } }""");
        using var weights = Weights.Initialize(plan.Of(0).Network.Layout, plan.Random, 0);
        var rows = plan.Dataset.Test.InputsOf(0, Rows).ToArray();
        var (before, first, second) = (rows.ToArray(), new double[Rows * plan.Task.Width], new double[Rows * plan.Task.Width]);

        Predictors.Create(plan, weights, 0, monteCarloSamples: 0).Answer(rows, first);
        Predictors.Create(plan, weights, 0, monteCarloSamples: 3).Answer(rows, second);
        Assert.Equal(before, rows);
        Predictors.Create(plan, weights, 0, monteCarloSamples: 0).Answer(rows, second);
        Assert.Equal(first, second);
    }
}

using System.Text.Json;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>A regression's answer, and what its members say alone.</summary>
public sealed class MixtureTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    [Theory]
    [InlineData("all", "gaussian")]
    [InlineData("greedy", "gaussian")]
    [InlineData("greedy", "squared-error")]
    public async Task Members_means_deviations_and_shares_make_the_moments_of_their_mixture(string select, string likelihood)
    {
        var (name, table) = ($"{select}-{likelihood}", Path.Combine(served.RunsFolder, $"{select}-{likelihood}.csv"));
        await File.WriteAllLinesAsync(
            table, ["x,y", .. Enumerable.Range(0, 200).Select(i => $"{i * 37 % 101},{(2 * (i * 37 % 101)) + (i * i % 29)}")], TestContext.Current.CancellationToken);
        await served.TrainAsync($$"""
            { "name": "{{name}}", "seed": 5, "members": 3, "data": { "dataset": "{{table}}", "target": "y" }, "model": { "kind": "mlp", "hidden": [8] },
              "training": { "epochs": 3, "likelihood": "{{likelihood}}" }, "prediction": { "select": "{{select}}" } }
            """, namesPaths: true);

        var (status, answer) = await served.PostAsync($"/v2/models/{name}/infer", new
        {
            inputs = new[] { new { name = "x", shape = new[] { 2, 1 }, datatype = "FP32", data = new[] { 3.0, 250 } } },
            outputs = new[] { "mean", "standard_deviation", "member_mean", "member_standard_deviation", "member_weight" }.Select(output => new { name = output }),
        });

        Assert.Equal(200, status);
        var (means, deviations, weights) = (Output("member_mean"), Output("member_standard_deviation"), Output("member_weight"));
        var members = means.Length / 2;
        for (var row = 0; row < 2; row++)
        {
            var parts = Enumerable.Range(row * members, members).ToArray();
            var mean = parts.Sum(i => weights[i] * means[i]);
            var variance = parts.Sum(i => weights[i] * ((deviations[i] * deviations[i]) + (means[i] * means[i]))) - (mean * mean);
            Assert.Equal(1, parts.Sum(i => weights[i]), 1e-6);
            Assert.Equal(Output("mean")[row], mean, 1e-3);
            Assert.Equal(Output("standard_deviation")[row], Math.Sqrt(variance), 1e-2);
        }

        double[] Output(string output) =>
            [.. answer.GetProperty("outputs").EnumerateArray().Single(one => one.GetProperty("name").GetString() == output).GetProperty("data").EnumerateArray().Select(value => value.GetDouble())];
    }
}

using System.Net;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>Runs of a TorchSharp module that the host added, trained and asked over HTTP.</summary>
public sealed class OwnModuleTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static readonly string s_spec = ServedRuns.SpecOf("mine")
        .Replace("\"kind\": \"mlp\", \"hidden\": [16]", $"\"kind\": \"{ServedRuns.OwnModule}\", \"settings\": {{ \"units\": 12 }}")
        .Replace(", \"regularization\": { \"dropout\": { \"rate\": 0.3 } }", "");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_module_is_trained_and_serves_what_the_aggregator_says()
    {
        using (var submitted = await served.Client.PostAsync("/api/runs", Json(s_spec), Cancellation)) Assert.True(submitted.IsSuccessStatusCode);
        await ServedRuns.WaitAsync(async () => (await served.Client.GetAsync("/v2/models/mine/ready", Cancellation)).IsSuccessStatusCode);
        var rows = ServedRuns.Rows(3);
        var expected = await served.PredictAsync(rows, name: "mine");
        var withMasks = await served.PredictAsync(rows, new ConstituentChoice(MonteCarloSamples: 4), "mine");

        Assert.Equal(expected["probabilities"].Numbers, await AskAsync(rows, new { }));
        Assert.Equal(withMasks["probabilities"].Numbers, await AskAsync(rows, new { monte_carlo_samples = 4 }));
        Assert.NotEqual(expected["probabilities"].Numbers, withMasks["probabilities"].Numbers);
    }

    [Fact]
    public async Task A_network_that_the_host_has_not_is_refused_in_one_line()
    {
        using var submitted = await served.Client.PostAsync("/api/runs", Json(s_spec.Replace(ServedRuns.OwnModule, "other-module")), Cancellation);
        var error = JsonDocument.Parse(await submitted.Content.ReadAsStringAsync(Cancellation)).RootElement.GetProperty("error").GetString()!;

        Assert.Equal(HttpStatusCode.BadRequest, submitted.StatusCode);
        Assert.StartsWith("model.kind is \"other-module\": it must be ", error, StringComparison.Ordinal);
        Assert.Contains(ServedRuns.OwnModule, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    private async Task<IEnumerable<float>> AskAsync(float[] rows, object parameters)
    {
        var (status, answer) = await served.PostAsync("/v2/models/mine/infer", new
        {
            parameters, inputs = new[] { new { name = "input", shape = new[] { rows.Length / 64, 1, 8, 8 }, datatype = "FP32", data = rows } },
        });
        Assert.Equal(200, status);
        return answer.GetProperty("outputs").EnumerateArray().Single(output => output.GetProperty("name").GetString() == "probabilities").GetProperty("data").EnumerateArray().Select(p => p.GetSingle());
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}

using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Serving.Tests;

public sealed class RepositoryTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_index_lists_every_run_and_loading_and_unloading_change_what_is_served()
    {
        await using var server = await served.StartAsync(new HttpSettings(), "small");
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        Assert.Equal("""{"name":"other","version":"1","state":"UNAVAILABLE","reason":"it is not loaded"}""", (await IndexAsync("other")).GetRawText());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/v2/models/other/ready", Cancellation)).StatusCode);

        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/v2/repository/models/other/load", null, Cancellation)).StatusCode);
        Assert.Equal("""{"name":"other","version":"1","state":"READY","reason":""}""", (await IndexAsync("other")).GetRawText());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/models/other/ready", Cancellation)).StatusCode);

        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/v2/repository/models/small/unload", null, Cancellation)).StatusCode);
        using var gone = await client.GetAsync("/v2/models/small", Cancellation);
        Assert.Equal("Model \"small\" is not ready: it is not loaded.", (await gone.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/v2/repository/models/nobody/load", null, Cancellation)).StatusCode);

        async Task<JsonElement> IndexAsync(string name)
        {
            using var response = await client.PostAsync("/v2/repository/index", null, Cancellation);
            var index = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
            return index.EnumerateArray().Single(model => model.GetProperty("name").GetString() == name);
        }
    }

    [Fact]
    public async Task Lists_of_models_end_and_go_on_after_a_name()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxPageSize = 1 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        foreach (var run in new[] { "other", "small" })
        {
            var body = new { inputs = new[] { new { name = "input", shape = new[] { 1, 1, 8, 8 }, datatype = "FP32", data = ServedRuns.Rows(1) } } };
            Assert.Equal(HttpStatusCode.OK, (await client.PostAsJsonAsync($"/v2/models/{run}/infer", body, Cancellation)).StatusCode);
        }

        Assert.Single((await IndexAsync("")).EnumerateArray());
        Assert.Equal("small", (await IndexAsync("?after=other"))[0].GetProperty("name").GetString());
        Assert.Empty((await IndexAsync("?after=~")).EnumerateArray());
        Assert.Equal(["other"], await StatisticsAsync(""));
        Assert.Equal(["small"], await StatisticsAsync("?after=other"));
        Assert.Empty(await StatisticsAsync("?after=small"));

        async Task<JsonElement> IndexAsync(string query)
        {
            using var response = await client.PostAsync($"/v2/repository/index{query}", null, Cancellation);
            return await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        }

        async Task<string?[]> StatisticsAsync(string query) =>
            [.. (await client.GetFromJsonAsync<JsonElement>($"/v2/models/stats{query}", Cancellation)).GetProperty("model_stats").EnumerateArray().Select(model => model.GetProperty("name").GetString())];
    }

    [Theory]
    [InlineData("load", "{}", 200, null)]
    [InlineData("load", """{"parameters":null}""", 200, null)]
    [InlineData("load", """{"parameters":{}}""", 200, null)]
    [InlineData("unload", """{"parameters":{"unload_dependents":true}}""", 200, null)]
    [InlineData("load", """{"parameters":{"config":"{\"max_batch_size\":1}"}}""", 400, "parameters.config is not taken: a run is served as it was trained, from its own folder.")]
    [InlineData("load", """{"parameters":{"file:1/model.onnx":"AAAA"}}""", 400, "parameters.file:1/model.onnx is not taken: a run is served as it was trained, from its own folder.")]
    [InlineData("load", """{"parameters":{"unload_dependents":true}}""", 400, "parameters.unload_dependents is not taken: a run is served as it was trained, from its own folder.")]
    [InlineData("load", """{"parameters":[]}""", 400, "parameters must be an object: the body is empty, or an object without parameters.")]
    [InlineData("load", """{"config":"{}"}""", 400, "config is not taken: a run is served as it was trained, from its own folder.")]
    [InlineData("unload", """{"unload_dependents":true}""", 400, "unload_dependents is not taken: a run is served as it was trained, from its own folder.")]
    [InlineData("load", "{", 400, "The request is not JSON: the body is empty, or an object without parameters.")]
    [InlineData("unload", "[]", 400, "The request is no JSON object: the body is empty, or an object without parameters.")]
    public async Task What_a_repository_would_ignore_it_refuses(string action, string body, int status, string? message)
    {
        await using var server = await served.StartAsync(new HttpSettings());
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var response = await client.PostAsync($"/v2/repository/models/other/{action}", new StringContent(body), Cancellation);

        Assert.Equal(status, (int)response.StatusCode);
        if (message is not null) Assert.Equal(message, (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("", 200)]
    [InlineData("{}", 200)]
    [InlineData("""{"ready":null}""", 200)]
    [InlineData("""{"ready":true}""", 200)]
    [InlineData("""{"ready":1}""", 400)]
    [InlineData("null", 400)]
    [InlineData("ready", 400)]
    public async Task An_index_is_asked_for_by_nothing_or_an_object(string body, int status) =>
        Assert.Equal(status, (int)(await served.Client.PostAsync("/v2/repository/index", new StringContent(body), Cancellation)).StatusCode);

    [Fact]
    public async Task A_run_is_served_within_ten_seconds_of_its_end_without_a_restart()
    {
        using var response = await served.Client.PostAsync(
            "/api/runs", new StringContent(ServedRuns.SpecOf("later").Replace("\"epochs\": 1", "\"epochs\": 2000")), Cancellation);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("/api/runs/later", response.Headers.Location!.ToString());

        Assert.False((await served.Client.GetAsync("/v2/models/later/ready", Cancellation)).IsSuccessStatusCode);
        var id = RunStatusJson.FromJson(await served.Client.GetStringAsync("/api/runs/later", Cancellation)).Id;
        var coordinator = served.Grains.GetGrain<ICoordinator>(new RunKey("later", id).ToString());
        await ServedRuns.WaitAsync(async () => (await coordinator.GetStatusAsync()).HasEnded);
        var ended = Stopwatch.GetTimestamp();
        await ServedRuns.WaitAsync(async () => (await served.Client.GetAsync("/v2/models/later/ready")).StatusCode == HttpStatusCode.OK);

        Assert.InRange(Stopwatch.GetElapsedTime(ended), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(3, (await served.PredictAsync(ServedRuns.Rows(1), name: "later")).MembersUsed.Length);
    }
}

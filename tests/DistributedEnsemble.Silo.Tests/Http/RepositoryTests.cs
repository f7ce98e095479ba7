using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Silo.Http;

namespace DistributedEnsemble.Silo.Tests.Http;

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
    public async Task A_run_is_served_within_ten_seconds_of_its_end_without_a_restart()
    {
        using var response = await served.Client.PostAsync(
            "/api/runs", new StringContent(ServedRuns.SpecOf("later").Replace("\"epochs\": 1", "\"epochs\": 20")), Cancellation);
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

using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Serving.Tests;

public sealed class RunTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_are_listed_and_shown_as_status_json_shows_them()
    {
        var runs = await served.Client.GetFromJsonAsync<JsonElement>("/api/runs", Cancellation);
        var small = RunStatusJson.FromJson(await served.Client.GetStringAsync("/api/runs/small", Cancellation));

        Assert.Contains("small", runs.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("run").GetString()));
        Assert.Equal(RunState.Completed, small.State);
        Assert.Equal(3, small.Members.Length);
    }

    [Fact]
    public async Task Runs_are_listed_in_pages_by_name()
    {
        var first = await served.Client.GetFromJsonAsync<JsonElement>("/api/runs?limit=1", Cancellation);
        var names = new List<string> { Assert.Single(Names(first)) };
        for (var next = first.GetProperty("next").GetString(); next is not null;)
        {
            var page = await served.Client.GetFromJsonAsync<JsonElement>($"/api/runs?limit=1&after={next}", Cancellation);
            names.AddRange(Names(page));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Subset(names.ToHashSet(), new HashSet<string> { "other", "small" });
        using var wrong = await served.Client.GetAsync("/api/runs?limit=1001", Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(
            "limit is \"1001\": it must be a whole number from 1 to 1000.", (await wrong.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());

        static IEnumerable<string> Names(JsonElement page) => page.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("run").GetString()!);
    }

    [Fact]
    public async Task A_run_is_watched_stopped_and_resumed()
    {
        var spec = ServedRuns.SpecOf("long").Replace("\"epochs\": 1", "\"epochs\": 100000");
        Assert.Equal(HttpStatusCode.Created, (await served.Client.PostAsync("/api/runs", new StringContent(spec), Cancellation)).StatusCode);
        await using var stream = await served.Client.GetStreamAsync("/api/runs/long/events", Cancellation);
        var events = SseParser.Create(stream).EnumerateAsync(Cancellation).GetAsyncEnumerator(Cancellation);

        do Assert.True(await events.MoveNextAsync());
        while (RunStatusJson.FromJson(events.Current.Data).Steps == 0);
        Assert.Equal("status", events.Current.EventType);
        using var stopped = await served.Client.PostAsync("/api/runs/long/stop", null, Cancellation);
        Assert.Equal(HttpStatusCode.OK, stopped.StatusCode);
        while (await events.MoveNextAsync() && events.Current.EventType != "end") { }

        Assert.Equal(RunState.Paused, RunStatusJson.FromJson(events.Current.Data).State);
        Assert.False(await events.MoveNextAsync());
        using var resumed = await served.Client.PostAsync("/api/runs/long/resume", null, Cancellation);
        Assert.Equal(RunState.Running, RunStatusJson.FromJson(await resumed.Content.ReadAsStringAsync(Cancellation)).State);
        await served.Client.PostAsync("/api/runs/long/stop", null, Cancellation);
        await events.DisposeAsync();
    }

    [Fact]
    public async Task A_run_of_another_process_is_shown_as_its_folder_has_it_and_stopped_there()
    {
        var json = RunStatusJson.ToJson(RunStatusJson.FromJson(await served.Client.GetStringAsync("/api/runs/small", Cancellation)) with
        {
            Run = "elsewhere", State = RunState.Running,
        });
        Directory.CreateDirectory(Path.Combine(served.RunsFolder, "elsewhere"));
        await File.WriteAllTextAsync(Path.Combine(served.RunsFolder, "elsewhere", "run.json"), json, Cancellation);
        await ServedRuns.WaitAsync(async () => (await served.Client.GetAsync("/api/runs/elsewhere")).IsSuccessStatusCode);

        Assert.Equal(json, await served.Client.GetStringAsync("/api/runs/elsewhere", Cancellation));
        using var stop = await served.Client.PostAsync("/api/runs/elsewhere/stop", null, Cancellation);
        Assert.Equal(HttpStatusCode.Conflict, stop.StatusCode);
        Assert.Equal(
            "Run \"elsewhere\" is in training in another process, which alone can stop it.",
            (await stop.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await served.Client.GetAsync("/v2/models/elsewhere", Cancellation)).StatusCode);
        Directory.Delete(Path.Combine(served.RunsFolder, "elsewhere"), recursive: true);
    }

    [Theory]
    [InlineData("""{"membrs": 3}""", "membrs is an unknown key: did you mean members?")]
    [InlineData("not json", "The spec is not JSON at line 1, byte 2: ")]
    [InlineData("""{"data":{"dataset":"/etc/passwd"}}""", "There is no dataset /etc/passwd on the silos of this cluster, and they read no other files: ")]
    [InlineData("""{"data":{"dataset":"secret.csv"}}""", "There is no dataset secret.csv on the silos of this cluster, and they read no other files: ")]
    [InlineData("""{"data":{"dataset":".."}}""", "There is no dataset .. on the silos of this cluster, and they read no other files: ")]
    [InlineData("""{"data":{"dataset":"runtimes"}}""", "There is no dataset runtimes on the silos of this cluster, and they read no other files: ")]
    [InlineData("""{"data":{"dataset":"digits","test":"secret.csv"}}""", "data.test is secret.csv: the silos of this cluster read no files of their own, ")]
    public async Task A_spec_that_cannot_be_trained_is_refused_as_the_driver_refuses_it(string spec, string message)
    {
        using var response = await served.Client.PostAsync("/api/runs", new StringContent(spec), Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.StartsWith(message, (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_helps_is_said_as_a_request_and_not_as_a_command_of_the_driver()
    {
        using var resumed = await served.Client.PostAsync("/api/runs/small/resume", null, Cancellation);
        using var again = await served.Client.PostAsync("/api/runs", new StringContent(ServedRuns.SpecOf("small")), Cancellation);
        using var few = await served.Client.PostAsJsonAsync("/v2/models/small/infer", new
        {
            parameters = new { members = 4 },
            inputs = new[] { new { name = "input", shape = new[] { 1, 1, 8, 8 }, datatype = "FP32", data = ServedRuns.Rows(1) } },
        }, Cancellation);

        Assert.Equal("Run \"small\" is completed: there is nothing to resume. POST /v2/models/small/infer asks it for predictions.", await ErrorAsync(resumed));
        Assert.Equal(
            $"Run \"small\" already exists in {served.RunsFolder}. POST /api/runs/small/resume resumes it; or choose another name.", await ErrorAsync(again));
        Assert.Equal("members is 4: run \"small\" has 1 to 3.", await ErrorAsync(few));

        static async Task<string?> ErrorAsync(HttpResponseMessage response) =>
            (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString();
    }

    [Theory]
    [InlineData("GET", "/api/runs/nobody")]
    [InlineData("GET", "/api/runs/nobody/events")]
    [InlineData("POST", "/api/runs/nobody/stop")]
    [InlineData("POST", "/api/runs/..%2Fx/resume")]
    public async Task An_unknown_run_is_not_found(string method, string path)
    {
        using var response = await served.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Cancellation);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.StartsWith("There is no run ", (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/runs/endless/events/")]
    [InlineData("/api/runs/endless/EVENTS")]
    public async Task A_run_is_watched_for_longer_than_a_request_may_take(string path)
    {
        await using var server = await served.StartAsync(new HttpSettings { RequestTimeoutSeconds = 1 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        await client.PostAsync("/api/runs", new StringContent(ServedRuns.SpecOf("endless").Replace("\"epochs\": 1", "\"epochs\": 100000")), Cancellation);
        await client.PostAsync("/api/runs/endless/resume", null, Cancellation);
        await using var stream = await client.GetStreamAsync(path, Cancellation);
        var begun = Stopwatch.GetTimestamp();

        await foreach (var change in SseParser.Create(stream).EnumerateAsync(Cancellation))
        {
            if (Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(2)) await client.PostAsync("/api/runs/endless/stop", null, Cancellation);
            if (change.EventType == "end") return;
        }

        Assert.Fail("The stream broke off.");
    }

    [Theory]
    [InlineData("/api/runs/kept/events")]
    [InlineData("/api/runs/kept/live")]
    [InlineData("/api/live")]
    public async Task A_server_that_ends_waits_for_requests_as_long_as_they_may_take_and_for_no_watcher(string path)
    {
        var server = await served.StartAsync(new HttpSettings { RequestTimeoutSeconds = 3600 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        await client.PostAsync("/api/runs", new StringContent(ServedRuns.SpecOf("kept").Replace("\"epochs\": 1", "\"epochs\": 100000")), Cancellation);
        await client.PostAsync("/api/runs/kept/resume", null, Cancellation);
        await using var stream = await client.GetStreamAsync(path, Cancellation);
        await stream.ReadExactlyAsync(new byte[1], Cancellation);

        await server.DisposeAsync();

        await Assert.ThrowsAnyAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Cancellation));
        await served.Client.PostAsync("/api/runs/kept/stop", null, Cancellation);
    }

    [Fact]
    public async Task Watchers_have_a_limit()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxEventStreams = 1 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        var spec = ServedRuns.SpecOf("watched").Replace("\"epochs\": 1", "\"epochs\": 100000");
        await client.PostAsync("/api/runs", new StringContent(spec), Cancellation);
        using (await client.GetAsync("/api/runs/watched/events", HttpCompletionOption.ResponseHeadersRead, Cancellation))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, (await client.GetAsync("/api/runs/watched/events", Cancellation)).StatusCode);
        }

        await client.PostAsync("/api/runs/watched/stop", null, Cancellation);
        await ServedRuns.WaitAsync(async () => (await client.GetAsync("/api/runs/watched/events")).StatusCode == HttpStatusCode.OK);
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Client.Tests.Rendering;
using DistributedEnsemble.Client.Trackers;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>What other tools are told of a training.</summary>
public sealed class TrackingTests
{
    private static readonly string[] s_train =
        ["train", "--name", "r", "--members", "2", "--epochs", "2", "--set", "model.kind=mlp", "--set", "model.hidden=[8]", "--set", "logging.everySteps=20"];

    [Fact]
    public async Task An_mlflow_server_gets_parameters_metrics_by_step_measures_and_files()
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow();

        (await driver.RunAsync([.. s_train, "--mlflow", server.Url])).Succeeded();

        Assert.Empty(server.Faults);
        Assert.Equal("digits", server.Experiment);
        Assert.Equal("r", server.RunName);
        Assert.Equal("8", server.Parameters["model.hidden"].Trim('[', ']'));
        Assert.Equal("2", server.Parameters["members"]);
        var losses = server.Metrics.Where(metric => metric.Key == "member_01/loss").OrderBy(metric => metric.Step).ToList();
        Assert.True(losses.Count > 1 && losses.All(metric => metric.Step % 20 == 0 || metric == losses[^1]));
        Assert.Contains(server.Metrics, metric => metric.Key == "ensemble/accuracy");
        Assert.Equal(["data.json", "run.json", "spec.json"], server.Files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(driver.RunsFolder, "r", "spec.json"), TestContext.Current.CancellationToken), server.Files["spec.json"]);
        Assert.Equal("FINISHED", server.Status);
    }

    [Fact]
    public async Task An_mlflow_server_that_names_itself_gets_the_files_and_of_another_store_it_is_said_that_it_gets_none()
    {
        using TestDriver driver = new(), other = new();
        await using var named = new StrictMlflow { Store = "mlflow-artifacts://tracking.example:5000" };
        await using var elsewhere = new StrictMlflow { Store = "s3://bucket" };

        Assert.Equal("", (await driver.RunAsync([.. s_train, "--mlflow", named.Url])).Succeeded().Error);
        var outcome = (await other.RunAsync([.. s_train, "--mlflow", elsewhere.Url])).Succeeded();

        Assert.Empty(named.Faults);
        Assert.Equal(["data.json", "run.json", "spec.json"], named.Files.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith("Warning: The tracking server keeps files of runs at s3://bucket/7/", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(elsewhere.Files);
        Assert.Equal("FINISHED", elsewhere.Status);
    }

    [Theory]
    [InlineData(RunState.Completed, "FINISHED")]
    [InlineData(RunState.Degraded, "FINISHED")]
    [InlineData(RunState.Failed, "FAILED")]
    [InlineData(RunState.Paused, "KILLED")]
    public async Task An_mlflow_server_is_told_how_a_run_ended(RunState state, string told)
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow();
        var spec = EnsembleSpec.FromJson("""{ "name": "r", "members": 1, "data": { "dataset": "digits" } }""");
        await using var tracker = await MlflowTracker.BeginAsync(new MlflowServer(server.Url), new RunFolder(driver.RunsFolder, "r"), spec, TimeProvider.System);

        await tracker.EndAsync(Statuses.Of(state, Statuses.Waiting(0)), null);

        Assert.Empty(server.Faults);
        Assert.Equal(told, server.Status);
    }

    [Theory]
    [InlineData("nowhere", 2, "--mlflow is nowhere: it takes the address of a tracking server, as in http://127.0.0.1:5000.")]
    [InlineData("http://127.0.0.1:1", 3, "The tracking server http://127.0.0.1:1/ does not answer: ")]
    public async Task A_server_that_is_none_is_said_before_anything_is_trained(string url, int exitCode, string error)
    {
        using var driver = new TestDriver();

        var outcome = await driver.RunAsync([.. s_train, "--mlflow", url]);

        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.StartsWith(error, outcome.Error, StringComparison.Ordinal);
        Assert.Empty(driver.Runs);
    }

    [Fact]
    public async Task Event_files_that_are_written_while_it_trains_say_what_those_say_that_are_written_afterwards()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train, "--set", "averaging.decay=0.9", "--set", "averaging.everySteps=20", "--tensorboard"])).Succeeded();
        var folder = Path.Combine(driver.RunsFolder, "r", "tensorboard");
        var during = Events();
        Assert.Equal(["ema", "ensemble", "member-00", "member-01"], during.Keys.Order(StringComparer.Ordinal));
        Assert.All(during.Values, events => Assert.True(events.Count > 3));

        var outcome = (await driver.RunAsync("tensorboard", "r")).Succeeded();

        Assert.Equal($"Show it with: tensorboard --logdir {folder}\n", outcome.Out);
        Assert.Equal(during, Events());

        Dictionary<string, List<string>> Events() => Directory.GetDirectories(folder).ToDictionary(
            path => Path.GetFileName(path), path => Directory.GetFiles(path).Order(StringComparer.Ordinal).SelectMany(file => WithoutTimes(File.ReadAllBytes(file))).ToList());

        // A record is its length, a checksum, an event that begins with a tag and its time, and a checksum; what runs were given has a time within.
        static IEnumerable<string> WithoutTimes(byte[] file)
        {
            for (int at = 0, length; at < file.Length; at += 16 + length)
            {
                length = (int)BitConverter.ToInt64(file, at);
                Assert.Equal(9, file[at + 12]);
                var said = Encoding.Latin1.GetString(file, at + 12 + 9, length - 9);
                if (!said.Contains("session_start_info", StringComparison.Ordinal)) yield return said;
            }
        }
    }

    [Fact]
    public async Task Event_files_say_of_the_ensemble_and_of_its_ema_models_what_evaluate_says()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train, "--set", "averaging.decay=0.9", "--set", "averaging.everySteps=20", "--tensorboard"])).Succeeded();

        foreach (var (folder, from) in new[] { ("ensemble", "final"), ("ema", "ema") })
        {
            var file = File.ReadAllBytes(Assert.Single(Directory.GetFiles(Path.Combine(driver.RunsFolder, "r", "tensorboard", folder))));
            var measures = (await driver.RunAsync("evaluate", "r", "--from", from, "--json")).Succeeded().Json.GetProperty("ensemble");
            foreach (var measure in new[] { "accuracy", "nll", "brier", "ece" })
                Assert.Equal((float)measures.GetProperty(measure).GetDouble(), Assert.Single(Scalars(file, $"test/{measure}")));
        }

        // A value is its tag, and then the number behind the byte that says so.
        static IEnumerable<float> Scalars(byte[] file, string tag)
        {
            var name = Encoding.UTF8.GetBytes(tag);
            for (var at = 0; at + name.Length + 5 <= file.Length; at++)
                if (file.AsSpan(at, name.Length).SequenceEqual(name) && file[at + name.Length] == 0x15) yield return BitConverter.ToSingle(file, at + name.Length + 1);
        }
    }

    [Theory]
    [InlineData(500, "not JSON", "Warning: The tracking server http://127.0.0.1:PORT/ answers 500 InternalServerError. The run goes on without.\n")]
    [InlineData(400, """{"error_code":"INVALID_PARAMETER_VALUE","message":"no\nroom"}""", "Warning: The tracking server says: no room The run goes on without.\n")]
    public async Task A_server_that_refuses_metrics_is_said_in_one_line_and_the_run_goes_on(int status, string answer, string warning)
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow { Refusal = (status, answer) };

        var outcome = (await driver.RunAsync([.. s_train, "--mlflow", server.Url])).Succeeded();

        Assert.Equal(warning.Replace("PORT", $"{new Uri(server.Url).Port}", StringComparison.Ordinal), outcome.Error);
        Assert.Contains("ensemble of 2", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quiet_prints_what_comes_of_it_alone()
    {
        using var driver = new TestDriver();

        var outcome = (await driver.RunAsync([.. s_train, "--quiet"])).Succeeded();

        Assert.DoesNotContain("member 0", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("ensemble of 2", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_live_page_is_served_while_it_trains()
    {
        using var driver = new TestDriver();

        var outcome = (await driver.RunAsync([.. s_train, "--open"])).Succeeded();

        Assert.Matches(@"^Watch it at http://127\.0\.0\.1:\d+/#/runs/r\n", outcome.Error);
    }

    /// <summary>A tracking server that knows the protocol's methods, and faults everything else.</summary>
    private sealed class StrictMlflow : IAsyncDisposable
    {
        private const string RunId = "0123456789abcdef";
        private readonly HttpListener _listener = new();
        private readonly Task _serving;

        public StrictMlflow()
        {
            var port = Enumerable.Range(0, 100).Select(_ => Random.Shared.Next(20000, 30000)).First(Listens);
            Url = $"http://127.0.0.1:{port}";
            _serving = Task.Run(ServeAsync);

            bool Listens(int candidate)
            {
                try
                {
                    _listener.Prefixes.Clear();
                    _listener.Prefixes.Add($"http://127.0.0.1:{candidate}/");
                    _listener.Start();
                    return true;
                }
                catch (HttpListenerException)
                {
                    return false;
                }
            }
        }

        public string Url { get; }

        /// <summary>What metrics are answered with; null takes them.</summary>
        public (int Status, string Body)? Refusal { get; init; }

        /// <summary>Where it keeps the files of runs.</summary>
        public string Store { get; init; } = "mlflow-artifacts:";

        public ConcurrentQueue<string> Faults { get; } = [];

        public string? Experiment { get; private set; }

        public string? RunName { get; private set; }

        public string? Status { get; private set; }

        public ConcurrentDictionary<string, string> Parameters { get; } = [];

        public ConcurrentQueue<(string Key, double Value, long Step)> Metrics { get; } = [];

        public ConcurrentDictionary<string, byte[]> Files { get; } = [];

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _serving;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    var (status, body) = await AnswerAsync(context.Request);
                    context.Response.StatusCode = status;
                    context.Response.ContentType = "application/json";
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body as string ?? JsonSerializer.Serialize(body)));
                    context.Response.Close();
                }
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // The test is over.
            }
        }

        private async Task<(int Status, object Body)> AnswerAsync(HttpListenerRequest request)
        {
            try
            {
                using var memory = new MemoryStream();
                await request.InputStream.CopyToAsync(memory);
                return Answer(request, memory.ToArray());
            }
            catch (Exception exception)
            {
                Faults.Enqueue($"{request.HttpMethod} {request.RawUrl}: {exception.Message}");
                return (400, new { error_code = "INVALID_PARAMETER_VALUE", message = exception.Message });
            }
        }

        private (int Status, object Body) Answer(HttpListenerRequest request, byte[] bytes)
        {
            const string Root = "/api/2.0/mlflow/", Artifacts = $"/api/2.0/mlflow-artifacts/artifacts/7/{RunId}/artifacts/";
            var path = request.Url!.AbsolutePath;
            if (request.HttpMethod == "PUT" && path.StartsWith(Artifacts, StringComparison.Ordinal))
            {
                Files[path[Artifacts.Length..]] = bytes;
                return (200, new { });
            }

            var body = bytes.Length == 0 ? default : JsonElement.Parse(bytes);
            if (body.ValueKind == JsonValueKind.Object && path.StartsWith($"{Root}runs/", StringComparison.Ordinal) && path != $"{Root}runs/create") Assert.Equal(RunId, body.GetProperty("run_id").GetString());
            switch ($"{request.HttpMethod} {path}")
            {
                case $"POST {Root}experiments/search":
                    Keys(body, "max_results");
                    return (200, new { experiments = Array.Empty<object>() });
                case $"GET {Root}experiments/get-by-name":
                    Assert.NotNull(request.QueryString["experiment_name"]);
                    return (404, new { error_code = "RESOURCE_DOES_NOT_EXIST", message = "Could not find experiment" });
                case $"POST {Root}experiments/create":
                    Keys(body, "name");
                    Experiment = body.GetProperty("name").GetString();
                    return (200, new { experiment_id = "7" });
                case $"POST {Root}runs/create":
                    Keys(body, "experiment_id", "run_name", "start_time", "tags");
                    Assert.Equal("7", body.GetProperty("experiment_id").GetString());
                    Assert.True(body.GetProperty("start_time").TryGetInt64(out _));
                    foreach (var tag in body.GetProperty("tags").EnumerateArray()) Keys(tag, "key", "value");
                    RunName = body.GetProperty("run_name").GetString();
                    return (200, new { run = new { info = new { run_id = RunId, artifact_uri = $"{Store}/7/{RunId}/artifacts" } } });
                case $"POST {Root}runs/log-batch":
                    if (Refused(body) is { } refused) return refused;
                    Log(body);
                    return (200, new { });
                case $"POST {Root}runs/update":
                    Keys(body, "run_id", "status", "end_time");
                    Status = body.GetProperty("status").GetString();
                    return (200, new { });
                default:
                    throw new InvalidOperationException("The protocol has no such method.");
            }
        }

        private (int Status, object Body)? Refused(JsonElement body) =>
            Refusal is { } refusal && body.TryGetProperty("metrics", out _) ? (refusal.Status, refusal.Body) : null;

        private void Log(JsonElement body)
        {
            Keys(body, "run_id", "metrics", "params");
            if (body.TryGetProperty("params", out var parameters))
            {
                Assert.InRange(parameters.GetArrayLength(), 1, 100);
                foreach (var parameter in parameters.EnumerateArray())
                {
                    Keys(parameter, "key", "value");
                    Assert.InRange(parameter.GetProperty("value").GetString()!.Length, 0, 500);
                    Assert.True(Parameters.TryAdd(parameter.GetProperty("key").GetString()!, parameter.GetProperty("value").GetString()!), "A parameter cannot be changed.");
                }
            }

            if (!body.TryGetProperty("metrics", out var metrics)) return;
            Assert.InRange(metrics.GetArrayLength(), 1, 1000);
            foreach (var metric in metrics.EnumerateArray())
            {
                Keys(metric, "key", "value", "timestamp", "step");
                Assert.Matches("^[A-Za-z0-9_./ -]{1,250}$", metric.GetProperty("key").GetString());
                Assert.True(metric.GetProperty("timestamp").TryGetInt64(out var time) && time > 1_000_000_000_000);
                Metrics.Enqueue((metric.GetProperty("key").GetString()!, metric.GetProperty("value").GetDouble(), metric.GetProperty("step").GetInt64()));
            }
        }

        private static void Keys(JsonElement element, params string[] known) =>
            Assert.All(element.EnumerateObject(), property => Assert.Contains(property.Name, known));
    }
}

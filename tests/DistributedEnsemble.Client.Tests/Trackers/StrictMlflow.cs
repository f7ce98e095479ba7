using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Client.Tests.Trackers;

/// <summary>A tracking server that knows the protocol's methods, and faults everything else.</summary>
internal sealed class StrictMlflow : IAsyncDisposable
{
    private const string RunId = "0123456789abcdef";
    private readonly HttpListener _listener = LoopbackListener.Start();
    private readonly Task _serving;

    public StrictMlflow()
    {
        Url = _listener.Prefixes.Single().TrimEnd('/');
        _serving = Task.Run(ServeAsync);
    }

    public string Url { get; }

    /// <summary>What metrics are answered with; null takes them.</summary>
    public (int Status, string Body)? Refusal { get; init; }

    /// <summary>What a run that is created is answered with; null creates it.</summary>
    public string? Created { get; init; }

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
                if (Created is { } answer) return (200, answer);
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

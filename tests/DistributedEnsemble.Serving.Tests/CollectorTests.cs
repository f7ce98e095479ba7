using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>A collector that variables name gets what the process measures and the traces of requests.</summary>
public sealed class CollectorTests(ServedRuns served) : IClassFixture<ServedRuns>, IDisposable
{
    private static readonly string[] s_variables =
        ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_METRIC_EXPORT_INTERVAL", "OTEL_BSP_SCHEDULE_DELAY"];

    private readonly HttpListener _collector = LoopbackListener.Start();
    private readonly ConcurrentBag<(string Path, string Body)> _received = [];

    [Fact]
    public async Task Metrics_and_traces_go_to_the_collector_that_the_environment_names()
    {
        _ = ReceiveAsync();
        foreach (var (variable, value) in s_variables.Zip([_collector.Prefixes.Single(), "http/protobuf", "100", "100"])) Environment.SetEnvironmentVariable(variable, value);
        await using var server = await served.StartAsync(new HttpSettings());
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var response = await client.PostAsJsonAsync("/v2/models/small/infer", new
        {
            inputs = new[] { new { name = "input", shape = new[] { 1, 1, 8, 8 }, datatype = "FP32", data = ServedRuns.Rows(1) } },
        }, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await ServedRuns.WaitAsync(() => Task.FromResult(
            Has("/v1/metrics", "ensemble.requests.duration") && Has("/v1/traces", "predict batch") && Has("/v1/traces", "HttpRequestIn") && Has("/v1/traces", "IAggregator/PredictAsync")));

        bool Has(string path, string text) => _received.Any(sent => sent.Path == path && sent.Body.Contains(text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "garbage", "OTEL_EXPORTER_OTLP_ENDPOINT is garbage: it is a collector's address, as in http://127.0.0.1:4317.")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "foo", "OTEL_EXPORTER_OTLP_PROTOCOL is foo: it is grpc or http/protobuf.")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "=,=", "OTEL_EXPORTER_OTLP_HEADERS has another form than NAME=VALUE,NAME=VALUE.")]
    [InlineData("Ensemble:Serving:Hosts", "a.example", "ENSEMBLE__SERVING__HOSTS is a.example: it is a list, whose first is ENSEMBLE__SERVING__HOSTS__0.")]
    public void A_setting_that_would_silently_do_nothing_is_refused(string variable, string value, string message)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")]).AddInMemoryCollection([new(variable, value)]).Build();

        Assert.Equal(message, Assert.Throws<HttpSettingsException>(() => configuration.ReadHttpSettings(null, null)).Message);
    }

    public void Dispose()
    {
        foreach (var variable in s_variables) Environment.SetEnvironmentVariable(variable, null);
        _collector.Close();
    }

    private async Task ReceiveAsync()
    {
        while (_collector.IsListening)
        {
            var context = await _collector.GetContextAsync();
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            _received.Add((context.Request.Url!.AbsolutePath, Encoding.UTF8.GetString(body.ToArray())));
            context.Response.Close();
        }
    }
}

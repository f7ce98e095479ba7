using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using DistributedEnsemble.Grains.Telemetry;

namespace DistributedEnsemble.Serving.Tests;

public sealed class TelemetryTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ensemble_requests_duration_seconds_count{otel_scope_name=\"DistributedEnsemble\",outcome=\"ok\"}")]
    [InlineData("ensemble_requests_duration_seconds_count{otel_scope_name=\"DistributedEnsemble\",outcome=\"refused\"}")]
    [InlineData("ensemble_prediction_queue_duration_seconds_count")]
    [InlineData("ensemble_prediction_compute_duration_seconds_count")]
    [InlineData("ensemble_prediction_batch_rows_bucket")]
    [InlineData("ensemble_prediction_members_bucket")]
    [InlineData("ensemble_lanes_busy")]
    [InlineData("ensemble_runs_unfinished{otel_scope_name=\"DistributedEnsemble\"} 0")]
    [InlineData("ensemble_training_steps_total")]
    [InlineData("ensemble_snapshot_duration_seconds_count")]
    [InlineData("http_server_request_duration_seconds_count")]
    [InlineData("orleans_")]
    public async Task Prometheus_finds_what_is_measured(string metric)
    {
        await served.PostAsync("/v2/models/small/infer", Body());
        await served.PostAsync("/v2/models/small/infer", new { });

        await ServedRuns.WaitAsync(async () => (await served.Client.GetStringAsync("/metrics")).Contains($"\n{metric}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_s_trace_goes_on_to_its_batch()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Measurements.Name || source.Name.StartsWith("Microsoft.", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/small/infer") { Content = JsonContent.Create(Body()) };
        request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

        using var response = await served.Client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await ServedRuns.WaitAsync(() => Task.FromResult(Spans().Any(span => span.OperationName == "predict batch")));
        await ServedRuns.WaitAsync(() => Task.FromResult(Spans().Any(span => span.ParentSpanId.ToString() == "00f067aa0ba902b7")));

        IEnumerable<Activity> Spans() => spans.Where(span => span.TraceId.ToString() == "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    private static object Body() =>
        new { inputs = new[] { new { name = "input", shape = new[] { 1, 1, 8, 8 }, datatype = "FP32", data = ServedRuns.Rows(1) } } };
}

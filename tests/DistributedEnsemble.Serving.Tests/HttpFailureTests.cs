using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Serving.Tests;

public sealed class HttpFailureTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    public static TheoryData<Exception, int, string> Failures => new()
    {
        { new TimeoutException(), 504, "timeout" },
        { HttpError.TimedOut("too late"), 504, "timeout" },
        { new SiloUnavailableException(), 503, "unavailable" },
        { new InsufficientMemoryException(), 503, "unavailable" },
        { new QuorumException("too few"), 503, "unavailable" },
        { HttpError.Unavailable("not ready"), 503, "unavailable" },
        { new OverloadedException("too much"), 429, "overloaded" },
        { HttpError.TooMany("too much"), 429, "overloaded" },
        { new RunRejectedException("no"), 400, "refused" },
        { new RunRejectedException("not now") { IsForNow = true }, 429, "overloaded" },
        { HttpError.TooLarge("too large"), 413, "refused" },
        { new BadHttpRequestException("slow", 408), 408, "timeout" },
        { new InvalidOperationException("a secret"), 500, "failed" },
    };

    [Theory, MemberData(nameof(Failures))]
    public void A_failure_is_answered_and_counted_as_the_same(Exception exception, int status, string outcome)
    {
        var failure = HttpFailure.Of(new DefaultHttpContext(), exception, 30);

        Assert.Equal((status, outcome), (failure.Status, failure.Outcome));
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_damaged_is_said_and_not_where_the_server_has_it()
    {
        var failure = HttpFailure.Of(
            new DefaultHttpContext(), new OrleansException("no activation", new InvalidDataException("/srv/data/runs/small/record.json is damaged: it is not JSON.")), 30);

        Assert.Equal((500, "small/record.json is damaged: it is not JSON.", "failed"), (failure.Status, failure.Message, failure.Outcome));
    }

    [Theory]
    [InlineData(typeof(OutOfMemoryException), true)]
    [InlineData(typeof(InvalidOperationException), true)]
    [InlineData(typeof(TimeoutException), false)]
    public async Task What_may_be_the_servers_fault_stands_in_its_log_whoever_asked(Type failure, bool isLogged)
    {
        var exception = (Exception)Activator.CreateInstance(failure)!;
        var lines = new ConcurrentQueue<string>();
        using var logs = LoggerFactory.Create(logging => logging.AddProvider(new LogLines(lines)));
        await using var services = new ServiceCollection().AddLogging().AddSingleton(new Admission(new HttpSettings())).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services, Request = { Path = "/v2/models/small/infer" } };

        await new HttpErrors(new HttpSettings(), logs.CreateLogger("http")).InvokeAsync(context, _ => throw exception);
        await Assert.ThrowsAsync<RpcException>(() => new RpcErrors(new HttpSettings(), logs.CreateLogger<RpcErrors>())
            .UnaryServerHandler<object, object>(new object(), new Call(context), (_, _) => throw exception));

        const string Line = "A request of /v2/models/small/infer failed.";
        Assert.Equal(isLogged ? [$"http: {Line}", $"{typeof(RpcErrors).FullName}: {Line}"] : [], lines);
    }

    [Fact]
    public void A_client_that_has_left_is_no_failure_of_the_server()
    {
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };

        Assert.Equal("cancelled", HttpFailure.Of(context, new OperationCanceledException(), 30).Outcome);
        Assert.Equal("cancelled", HttpFailure.Of(context, new IOException("reset"), 30).Outcome);
    }

    [Fact]
    public async Task A_request_that_does_not_wait_is_told_that_time_ran_out()
    {
        using var response = await served.Client.PostAsJsonAsync("/v2/models/small/infer", new
        {
            parameters = new { timeout = 1, monte_carlo_samples = 1000 },
            inputs = new[] { new { name = "input", shape = new[] { 40, 1, 8, 8 }, datatype = "FP32", data = ServedRuns.Rows(40) } },
        }, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal(
            "There was no answer within the request's timeout of 1 microseconds.",
            (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("error").GetString());
    }

    /// <summary>A call of gRPC without a connection.</summary>
    private sealed class Call : ServerCallContext
    {
        public Call(HttpContext context) => UserState["__HttpContext"] = context;

        protected override string MethodCore => "";

        protected override string HostCore => "";

        protected override string PeerCore => "";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore => [];

        protected override CancellationToken CancellationTokenCore => CancellationToken.None;

        protected override Metadata ResponseTrailersCore => [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => new(null, []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}

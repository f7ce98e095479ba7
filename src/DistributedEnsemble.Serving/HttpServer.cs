using System.Net.Sockets;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Connections;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Serving.Models;
using DistributedEnsemble.Serving.Page;
using DistributedEnsemble.Serving.Rpc;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Serving.Telemetry;
using DistributedEnsemble.Training.Files;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace DistributedEnsemble.Serving;

/// <summary>Serves the runs of a silo over HTTP, from within the silo's process.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Admission _admission;
    private readonly RunIndex _runs;

    private readonly HttpSettingsCheck _check;

    private HttpServer(WebApplication app, HttpSettingsCheck check, Admission admission, RunIndex runs) =>
        (_app, _check, _admission, _runs) = (app, check, admission, runs);

    /// <summary>The log category of calls that change something; its entries are information, and there to be kept.</summary>
    public static string AuditCategory { get; } = typeof(AdminAudit).FullName!;

    /// <summary>Where it listens, with the port that it got.</summary>
    public string Url => Addresses.First();

    /// <summary>Where it serves gRPC; null if it does not.</summary>
    public string? GrpcUrl => _check.Grpc is null ? null : Addresses.Last();

    private IEnumerable<string> Addresses => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

    /// <param name="runsFolder">The folder of all runs.</param>
    /// <inheritdoc cref="StartAsync(IGrainFactory, RunStorage, HttpSettings, IReadOnlyCollection{string}, Action{ILoggingBuilder}, LocalAggregators, CancellationToken)"/>
    public static Task<HttpServer> StartAsync(
        IGrainFactory grains, string runsFolder, HttpSettings settings, IReadOnlyCollection<string>? only = null,
        Action<ILoggingBuilder>? logs = null, CancellationToken cancellation = default) =>
        StartAsync(grains, new FolderStorage(runsFolder), settings, only, logs, null, cancellation);

    /// <param name="grains">The silo's grains.</param>
    /// <param name="storage">Has all runs.</param>
    /// <param name="only">The runs that are served at first; null is all.</param>
    /// <param name="logs">Where its logs go; null drops them.</param>
    /// <param name="here">The silo's aggregators, if it is in this process: rows go to them without a message.</param>
    /// <exception cref="HttpSettingsException">The settings cannot be served with.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    internal static async Task<HttpServer> StartAsync(
        IGrainFactory grains, RunStorage storage, HttpSettings settings, IReadOnlyCollection<string>? only = null,
        Action<ILoggingBuilder>? logs = null, LocalAggregators? here = null, CancellationToken cancellation = default)
    {
        var check = HttpSettingsCheck.Of(settings);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        logs?.Invoke(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        // Requests that are being answered are, when the server ends.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(settings.RequestTimeoutSeconds));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<JsonOptions>(options => options.SerializerOptions.Encoder = RunStatusJson.Options.Encoder);
        builder.AddEnsembleTelemetry();
        builder.Services.AddDashboardPages(grains);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, check));
        builder.Services.AddSingleton<AdminAudit>();
        var admission = new Admission(settings);
        builder.Services.AddSingleton(admission);
        var runs = await RunIndex.StartAsync(storage, TimeProvider.System, cancellation);
        var repository = new ModelRepository(grains, runs, only, here);
        var statistics = new ModelStatistics(repository, grains, TimeProvider.System);
        var inference = new InferenceService(statistics, settings, TimeProvider.System);
        builder.Services.AddSingleton(services => new Readiness(grains, storage, services.GetRequiredService<ILogger<Readiness>>()));
        if (check.Grpc is not null) builder.Services.AddRpc(inference, repository, settings);
        var app = builder.Build();
        Map(app, check, grains, storage, runs, repository, statistics, inference, admission);
        var server = new HttpServer(app, check, admission, runs);
        try
        {
            await app.StartAsync(cancellation);
            return server;
        }
        catch (Exception exception)
        {
            await server.DisposeAsync();
            if (exception is IOException or SocketException)
            {
                var listener = check.Listeners.Last(listener => listener == check.Http || exception.Message.Contains($"{listener.Endpoint}", StringComparison.Ordinal));
                throw new IOException($"{listener.Option} {listener.Url} cannot be listened on: {OneLine.Of(exception.Message).TrimEnd('.')} (another port may be free).", exception);
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _runs.DisposeAsync();
        _admission.Dispose();
    }

    private static void Listen(KestrelServerOptions kestrel, HttpSettingsCheck check)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = check.Settings.MaxBodyBytes;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(check.Settings.HeaderTimeoutSeconds);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(check.Settings.KeepAliveSeconds);
        var gate = new ConnectionGate(4 * check.Settings.MaxConcurrentRequests, check.Settings.MaxConnectionsPerAddress);
        // Without TLS nothing says which version a connection speaks.
        Listen(check.Http, check.Http.IsTls ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1);
        if (check.Grpc is { } grpc && !check.SharesPort) Listen(grpc, HttpProtocols.Http2);

        void Listen(HttpSettingsCheck.Listener listener, HttpProtocols protocols) => kestrel.Listen(listener.Endpoint, listen =>
        {
            listen.Protocols = protocols;
            listen.Use(next => connection => gate.OnConnectionAsync(connection, next));
            if (listener.IsTls)
            {
                var certificates = check.Certificates!;
                listen.UseHttps(https =>
                {
                    (https.ServerCertificate, https.ServerCertificateChain) = (certificates[0], certificates);
                    https.HandshakeTimeout = TimeSpan.FromSeconds(check.Settings.HeaderTimeoutSeconds);
                });
            }

            if (protocols.HasFlag(HttpProtocols.Http1)) listen.Use(next => connection => UnreadableRequests.OnConnectionAsync(connection, next));
        });
    }

    private static void Map(
        WebApplication app, HttpSettingsCheck check, IGrainFactory grains, RunStorage storage, RunIndex runs, ModelRepository repository,
        ModelStatistics statistics, InferenceService inference, Admission admission)
    {
        var (settings, time) = (check.Settings, TimeProvider.System);
        var errors = new HttpErrors(settings, app.Services.GetRequiredService<ILogger<HttpErrors>>());
        var sessions = new Sessions(check.Keys, check.Http.IsTls || settings.BehindProxy, time);
        var audit = app.Services.GetRequiredService<AdminAudit>();
        var guard = new AccessGuard(check, sessions, audit);
        var timeout = new RequestTimeout(settings, time, app.Lifetime.ApplicationStopping);
        app.Use(next => context => GatedConnection.InvokeAsync(context, next));
        app.Use(next => context => ResponseHeaders.InvokeAsync(context, next));
        app.Use(next => context => errors.InvokeAsync(context, next));
        app.Use(next => context => HeadRequests.InvokeAsync(context, next));
        app.UseRouting();
        app.Use(next => context => guard.InvokeAsync(context, next));
        app.Use(next => context => timeout.InvokeAsync(context, next));
        if (check.Grpc is not null)
        {
            var calls = new RpcCalls(inference, repository, admission);
            app.Use(next => context => calls.InvokeAsync(context, next));
            app.MapRpc();
        }

        HealthEndpoints.Map(app, app.Services.GetRequiredService<Readiness>());
        app.MapPrometheusScrapingEndpoint("/metrics").Needs(Access.Inference);
        new ModelEndpoints(repository, statistics, settings).Map(app);
        new InferEndpoints(inference, repository, admission, settings).Map(app);
        new RepositoryEndpoints(repository, admission, settings).Map(app);
        var (live, history) = (new LiveRuns(grains, runs, time), new MetricHistory(storage));
        var feeds = new RunFeeds(live, runs, grains, time);
        new RunEndpoints(grains, live, feeds, runs, admission, settings, time).Map(app);
        new MetricEndpoints(runs, history, admission).Map(app);
        new LiveEndpoints(live, feeds, grains, runs, history, storage, admission, app.Services.GetRequiredService<ILogger<LiveEndpoints>>(), time).Map(app);
        new SessionEndpoints(check.Keys, sessions, admission, audit).Map(app);
        new PageFiles().Map(app);
        OrleansDashboard.Map(app);
    }
}

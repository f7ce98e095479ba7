using System.Net.Sockets;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Silo.Http.Authorization;
using DistributedEnsemble.Silo.Http.Connections;
using DistributedEnsemble.Silo.Http.Inference;
using DistributedEnsemble.Silo.Http.Live;
using DistributedEnsemble.Silo.Http.Metrics;
using DistributedEnsemble.Silo.Http.Page;
using DistributedEnsemble.Silo.Http.Repository;
using DistributedEnsemble.Silo.Http.Runs;
using DistributedEnsemble.Silo.Http.Telemetry;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace DistributedEnsemble.Silo.Http;

/// <summary>Serves the runs of a silo over HTTP, from within the silo's process.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Admission _admission;
    private readonly RunIndex _runs;

    private HttpServer(WebApplication app, Admission admission, RunIndex runs) => (_app, _admission, _runs) = (app, admission, runs);

    /// <summary>The log category of calls that change something; its entries are information, and there to be kept.</summary>
    public static string AuditCategory { get; } = typeof(AdminAudit).FullName!;

    /// <summary>Where it listens, with the port that it got.</summary>
    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <param name="grains">The silo's grains.</param>
    /// <param name="runsFolder">The folder of all runs.</param>
    /// <param name="only">The runs that are served at first; null is all.</param>
    /// <param name="logs">Where its logs go; null drops them.</param>
    /// <exception cref="HttpSettingsException">The settings cannot be served with.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public static async Task<HttpServer> StartAsync(
        IGrainFactory grains, string runsFolder, HttpSettings settings, IReadOnlyCollection<string>? only = null,
        Action<ILoggingBuilder>? logs = null, CancellationToken cancellation = default)
    {
        var check = HttpSettingsCheck.Of(settings);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        logs?.Invoke(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<JsonOptions>(options => options.SerializerOptions.Encoder = RunStatusJson.Options.Encoder);
        builder.AddEnsembleTelemetry();
        builder.Services.AddDashboardPages(grains);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, check));
        builder.Services.AddSingleton<AdminAudit>();
        var app = builder.Build();
        var admission = new Admission(settings);
        var runs = await RunIndex.StartAsync(runsFolder, TimeProvider.System, cancellation);
        Map(app, check, grains, runsFolder, runs, only, admission);
        var server = new HttpServer(app, admission, runs);
        try
        {
            await app.StartAsync(cancellation);
            return server;
        }
        catch (Exception exception)
        {
            await server.DisposeAsync();
            if (exception is IOException or SocketException)
                throw new IOException($"--http {settings.Url} cannot be listened on: {OneLine.Of(exception.Message).TrimEnd('.')} (another port may be free).", exception);
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
        kestrel.Listen(check.Endpoint, listen =>
        {
            listen.Use(next => connection => gate.OnConnectionAsync(connection, next));
            if (check.Certificates is { } certificates)
            {
                listen.UseHttps(https =>
                {
                    (https.ServerCertificate, https.ServerCertificateChain) = (certificates[0], certificates);
                    https.HandshakeTimeout = TimeSpan.FromSeconds(check.Settings.HeaderTimeoutSeconds);
                });
            }

            listen.Use(next => connection => UnreadableRequests.OnConnectionAsync(connection, next));
        });
    }

    private static void Map(
        WebApplication app, HttpSettingsCheck check, IGrainFactory grains, string runsFolder, RunIndex runs, IReadOnlyCollection<string>? only,
        Admission admission)
    {
        var (settings, time) = (check.Settings, TimeProvider.System);
        var repository = new ModelRepository(grains, runs, only);
        var statistics = new ModelStatistics(repository, grains, time);
        var errors = new HttpErrors(settings, app.Services.GetRequiredService<ILogger<HttpErrors>>());
        var sessions = new Sessions(check.Keys, check.IsTls || settings.BehindProxy, time);
        var guard = new AccessGuard(check, sessions, app.Services.GetRequiredService<AdminAudit>());
        var timeout = new RequestTimeout(settings, time);
        app.Use(next => context => GatedConnection.InvokeAsync(context, next));
        app.Use(next => context => ResponseHeaders.InvokeAsync(context, next));
        app.Use(next => context => errors.InvokeAsync(context, next));
        app.Use(next => context => HeadRequests.InvokeAsync(context, next));
        app.UseRouting();
        app.Use(next => context => guard.InvokeAsync(context, next));
        app.Use(next => context => timeout.InvokeAsync(context, next));
        HealthEndpoints.Map(app, grains);
        app.MapPrometheusScrapingEndpoint("/metrics").Needs(Access.Inference);
        new ModelEndpoints(repository, statistics, settings).Map(app);
        new InferEndpoints(repository, admission, statistics, settings, time).Map(app);
        new RepositoryEndpoints(repository, admission, settings).Map(app);
        var (live, history) = (new LiveRuns(grains, runs), new MetricHistory(runsFolder));
        new RunEndpoints(grains, live, runs, admission, settings, time).Map(app);
        new MetricEndpoints(runs, history).Map(app);
        new LiveEndpoints(live, grains, runs, history, runsFolder, admission, time).Map(app);
        new SessionEndpoints(check.Keys, sessions, admission).Map(app);
        new PageFiles().Map(app);
        OrleansDashboard.Map(app);
    }
}

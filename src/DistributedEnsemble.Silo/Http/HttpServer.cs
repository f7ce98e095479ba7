using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Silo.Http;

/// <summary>Serves the runs of a silo over HTTP, from within the silo's process.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Admission _admission;

    private HttpServer(WebApplication app, Admission admission) => (_app, _admission) = (app, admission);

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
        builder.Services.AddRoutingCore();
        builder.Services.Configure<JsonOptions>(options => options.SerializerOptions.Encoder = RunStatusJson.Options.Encoder);
        builder.AddEnsembleTelemetry();
        builder.Services.AddDashboardPages(grains);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, check));
        var app = builder.Build();
        var admission = new Admission(settings);
        Map(app, check, grains, runsFolder, only, admission);
        var server = new HttpServer(app, admission);
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
        _admission.Dispose();
    }

    private static void Listen(KestrelServerOptions kestrel, HttpSettingsCheck check)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = check.Settings.MaxBodyBytes;
        kestrel.Limits.MaxConcurrentConnections = 4L * check.Settings.MaxConcurrentRequests;
        kestrel.Listen(check.Endpoint, listen =>
        {
            if (check.Certificates is { } certificates) listen.UseHttps(https => (https.ServerCertificate, https.ServerCertificateChain) = (certificates[0], certificates));
        });
    }

    private static void Map(
        WebApplication app, HttpSettingsCheck check, IGrainFactory grains, string runsFolder, IReadOnlyCollection<string>? only, Admission admission)
    {
        var (settings, time) = (check.Settings, TimeProvider.System);
        var runs = new RunIndex(runsFolder, time);
        var repository = new ModelRepository(grains, runs, only);
        var (errors, guard, timeout) = (new HttpErrors(settings, app.Services.GetRequiredService<ILogger<HttpErrors>>()), new AccessGuard(check), new RequestTimeout(settings, time));
        app.Use(next => context => errors.InvokeAsync(context, next));
        app.UseRouting();
        app.Use(next => context => guard.InvokeAsync(context, next));
        app.Use(next => context => timeout.InvokeAsync(context, next));
        HealthEndpoints.Map(app, grains);
        app.MapPrometheusScrapingEndpoint("/metrics").Needs(Access.Inference);
        new InferEndpoints(repository, admission, settings, time).Map(app);
        new RepositoryEndpoints(repository, admission).Map(app);
        new RunEndpoints(grains, runs, admission, time).Map(app);
        Dashboard.Map(app);
    }
}

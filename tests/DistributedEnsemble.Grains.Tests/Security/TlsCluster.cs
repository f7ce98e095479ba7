using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Tests.Security;

/// <summary>Silos and clients that meet over real sockets on loopback, each with whatever it has to prove itself.</summary>
internal sealed class TlsCluster : IAsyncDisposable
{
    private readonly ConcurrentStack<IHost> _hosts = new();
    private readonly string _runs = Directory.CreateTempSubdirectory("ensemble-").FullName;
    private IPEndPoint? _primary;

    /// <summary>Lines of <see cref="TlsLog"/>, of all silos and clients.</summary>
    public ConcurrentQueue<string> Log { get; } = [];

    public IPEndPoint Silo => _primary!;

    public IPEndPoint Gateway { get; private set; } = null!;

    public IManagementGrain Management { get; private set; } = null!;

    /// <summary>The first silo; later ones join it.</summary>
    public async Task StartAsync(TlsSettings tls)
    {
        var host = await StartSiloAsync(tls);
        Management = host.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
    }

    public async Task<IHost> StartSiloAsync(TlsSettings? tls)
    {
        var host = BuildSilo(tls);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    public IHost BuildSilo(TlsSettings? tls)
    {
        var (silo, gateway) = (FreeEndpoint(), FreeEndpoint());
        if (_primary is null) (_primary, Gateway) = (silo, gateway);
        return Build(builder => builder.UseOrleans(orleans =>
        {
            orleans.UseLocalhostClustering(silo.Port, gateway.Port, _primary, "tls", "tls");
            orleans.AddEnsembleTraining(options => (options.RunsFolder, options.Lanes) = (_runs, 1));
            if (tls is not null) orleans.UseMutualTls(tls);
        }));
    }

    public IHost BuildClient(TlsSettings? tls) => Build(builder => builder.UseOrleansClient(client =>
    {
        client.UseLocalhostClustering([Gateway.Port], "tls", "tls");
        client.UseConnectionRetryFilter((_, _) => Task.FromResult(false));
        if (tls is not null) client.UseMutualTls(tls);
    }));

    public async Task<IScheduler> ConnectAsync(TlsSettings? tls)
    {
        var client = BuildClient(tls);
        await client.StartAsync(TestContext.Current.CancellationToken);
        return client.Services.GetRequiredService<IGrainFactory>().GetGrain<IScheduler>(IScheduler.Key);
    }

    public async Task<int> SilosAsync() => (await Management.GetHosts(onlyActive: true)).Count;

    /// <summary>Waits for a line; the time limit of the test run ends a wait in vain.</summary>
    public async Task LoggedAsync(string part)
    {
        while (!Log.Any(line => line.Contains(part, StringComparison.Ordinal))) await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    public static async Task<Socket> DialAsync(IPEndPoint endpoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            // Who never came in has nothing to leave.
            if (host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested) await host.StopAsync();
            host.Dispose();
        }
        Directory.Delete(_runs, recursive: true);
    }

    private IHost Build(Action<HostApplicationBuilder> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(new TlsLines(Log));
        configure(builder);
        var host = builder.Build();
        _hosts.Push(host);
        return host;
    }

    private static IPEndPoint FreeEndpoint()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private sealed class TlsLines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id is >= 80 and < 90) lines.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}

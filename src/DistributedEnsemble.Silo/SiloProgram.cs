using System.Net;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Training.Files;
using Orleans.Configuration;
using StackExchange.Redis;

namespace DistributedEnsemble.Silo;

/// <summary>One silo, from its settings to its end.</summary>
internal static class SiloProgram
{
    private const int FirstSiloPort = 11111, FirstGatewayPort = 30000;

    /// <param name="ready">Hears that the silo has started, of its Redis, and how long its members have to hand over.</param>
    /// <param name="stop">Ends the silo; its members take checkpoints first, and others go on with them.</param>
    /// <exception cref="OperationCanceledException">It was asked to stop before it was ready; nothing is left of it.</exception>
    /// <exception cref="SiloSettingsException">The settings are refused.</exception>
    /// <exception cref="RunsFolderException">The folder of the runs cannot be made.</exception>
    /// <exception cref="ObjectStoreAddressException">The store's address is none, or it refuses this silo.</exception>
    /// <exception cref="StorageAwayException">The store does not answer.</exception>
    /// <exception cref="RedisUnreachableException">The cluster's Redis does not answer.</exception>
    /// <exception cref="IOException">The folder of the runs is not the cluster's.</exception>
    public static async Task RunAsync(HostApplicationBuilder builder, SiloSettings settings, Action<IConnectionMultiplexer?, TimeSpan> ready, CancellationToken stop)
    {
        var check = CheckedSettings.Of(settings, builder.Configuration);
        var http = check.Given.Http is { } url ? builder.Configuration.ReadHttpSettings(url, check.Given.Grpc) : null;
        var offer = builder.Configuration.ReadTraining();
        var handOver = builder.Configuration.ReadTiming().HandOver;
        if (check is { Redis: null, Store: null }) CheckRunsFolder(settings.Runs);
        using var store = check.Store is { } address ? new ObjectStorage(address, Path.Combine(settings.Runs, ".scratch")) : null;
        if (store is not null) await store.CheckAsync(check.Redis is null ? StoreUse.WriteRecords : StoreUse.Write).WaitAsync(stop);
        await using var redis = check.Redis is null ? null : await check.Redis.ConnectAsync().WaitAsync(stop);
        var cluster = redis is null ? null : new RedisCluster(check.Redis!, redis, await RedisClusterId.TakeAsync(redis).WaitAsync(stop));
        if (redis is not null) await SharedRuns.CheckAsync(redis, store is null ? new SharedFolder(settings.Runs) : new SharedObjects(store)).WaitAsync(stop);
        stop.ThrowIfCancellationRequested();
        using var ports = new FreePorts();
        var siloPort = ports.Take(check.Address, settings.SiloPort, FirstSiloPort, "--silo-port");
        var gatewayPort = cluster is null ? 0 : ports.Take(check.Address, settings.GatewayPort, FirstGatewayPort, "--gateway-port");
        Log(builder.Logging.ClearProviders());
        builder.Logging
            // Of connections that break and probes that are late the cluster makes its own conclusions; those are told.
            .AddFilter("Orleans", LogLevel.Error).AddFilter("Orleans.Runtime.MembershipService.MembershipTableManager", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopLimit.OfHost(handOver));
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.AddSingleton<IFatalErrorHandler, Eviction>();
        builder.UseOrleans(silo => Configure(silo, offer, check, store, cluster, siloPort, gatewayPort));
        using var host = builder.Build();
        await StartAsync(host, stop);
        await ServeAsync(host, check, store, http, siloPort, gatewayPort, () => ready(redis, handOver), stop);
    }

    /// <summary>Where it cannot be made, the silo would be ready, and refuse every run. One that is there may be for reading alone.</summary>
    private static void CheckRunsFolder(string runs)
    {
        try
        {
            NewFolder.Try(runs);
        }
        catch (IOException exception)
        {
            throw new RunsFolderException(runs, exception);
        }
    }

    /// <summary>
    /// Half a start would have to be undone: it goes on to its end, for as long as <see cref="StopLimit"/> lets it, and the stop is that
    /// of a silo that has started.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was asked to stop, and the start came to nothing.</exception>
    private static async Task StartAsync(IHost host, CancellationToken stop)
    {
        try
        {
            await host.StartAsync(CancellationToken.None);
        }
        catch (Exception exception) when (stop.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, stop);
        }
    }

    private static async Task ServeAsync(
        IHost host, CheckedSettings check, ObjectStorage? store, HttpSettings? http, int siloPort, int gatewayPort, Action ready, CancellationToken stop)
    {
        try
        {
            stop.ThrowIfCancellationRequested();
            await using var server = http is null ? null : await HttpServer.StartAsync(
                host.Services.GetRequiredService<IGrainFactory>(), (RunStorage?)store ?? new FolderStorage(check.Given.Runs), http, logs: Log,
                here: host.Services.GetRequiredService<LocalAggregators>(), cancellation: CancellationToken.None);
            stop.ThrowIfCancellationRequested();
            ready();
            Console.Out.WriteLine(
                $"Silo {check.Address}:{siloPort} is ready: {check.Given.Lanes} lanes, {(gatewayPort == 0 ? "no gateway" : $"gateway {check.Address}:{gatewayPort}")}"
                + (server is null ? "." : $", HTTP at {server.Url}{(server.GrpcUrl is { } grpc ? $", gRPC at {grpc}" : "")}."));
            using var asked = stop.Register(host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication);
            await host.WaitForShutdownAsync(CancellationToken.None);
        }
        catch
        {
            await host.StopAsync(CancellationToken.None);
            throw;
        }
    }

    private static void Log(ILoggingBuilder logs)
    {
        OneLineConsole.AddTo(logs);
        logs.SetMinimumLevel(LogLevel.Warning).AddFilter(HttpServer.AuditCategory, LogLevel.Information).LeaveOutRequests();
    }

    private static void Configure(
        ISiloBuilder silo, Action<EnsembleTrainingOptions> offer, CheckedSettings check, ObjectStorage? store, RedisCluster? cluster, int siloPort, int gatewayPort)
    {
        var settings = check.Given;
        if (cluster is null) silo.UseLocalhostClustering().AcceptNoConnections();
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = check.Address;
            (options.SiloPort, options.GatewayPort) = (siloPort, gatewayPort);
            options.SiloListeningEndpoint = new IPEndPoint(check.Address, siloPort);
            // An endpoint is listened on whatever its port is: 0 is a free one, and a gateway that nobody was told of.
            options.GatewayListeningEndpoint = gatewayPort == 0 ? null : new IPEndPoint(check.Address, gatewayPort);
        });
        silo.AddEnsembleTraining(options =>
        {
            (options.RunsFolder, options.Store, options.DataFolder, options.Lanes) = (settings.Runs, store, settings.Data, settings.Lanes);
            options.LanePriority = check.LanePriority;
            offer(options);
        });
        silo.CollectForDashboard();
        if (cluster is not null) silo.UseEnsembleRedis(cluster.Address.ToConfiguration(), cluster.Connection, cluster.Id);
        if (check.Tls is { } tls) silo.UseMutualTls(tls);
    }

    private sealed record RedisCluster(RedisAddress Address, IConnectionMultiplexer Connection, string Id);
}

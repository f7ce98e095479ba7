using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Grains;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>The silos that share a Redis, seen from outside.</summary>
internal sealed class RemoteCluster : ICluster
{
    /// <summary>How long silos have to answer at first.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly IHost _host;
    private volatile TaskCompletionSource _siloLost = NewSignal();

    private RemoteCluster(Func<Action, IHost> build) => _host = build(() => Interlocked.Exchange(ref _siloLost, NewSignal()).SetResult());

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public bool OutlivesProcess => true;

    /// <exception cref="RedisUnreachableException">Redis does not answer.</exception>
    /// <exception cref="ServerUnreachableException">No silo does.</exception>
    public static async Task<ICluster> ConnectAsync(RedisAddress address, CancellationToken cancellation)
    {
        // First by itself: Orleans' own attempts end in a longer story.
        string? clusterId;
        await using (var redis = await address.ConnectAsync()) clusterId = await RedisClusterId.FindAsync(redis);
        if (clusterId is null) throw NoSilo(address);
        var cluster = new RemoteCluster(onSiloLost => Build(address, clusterId, onSiloLost));
        try
        {
            await cluster._host.StartAsync(cancellation).WaitAsync(s_patience, cancellation);
            return cluster;
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException
            || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            cluster._host.Dispose();
            throw NoSilo(address);
        }
    }

    public async Task<T> HearAsync<T>(Task<T> answer)
    {
        await Task.WhenAny(answer, _siloLost.Task);
        return answer.IsCompleted ? await answer : throw new TimeoutException("A silo of the cluster went before all answers had come.");
    }

    private static IHost Build(RedisAddress address, string clusterId, Action onSiloLost)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        EmbeddedCluster.Logs(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.UseOrleansClient(client =>
        {
            client.UseEnsembleRedis(address.ToConfiguration(), clusterId);
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2));
            client.AddGatewayCountChangedHandler((_, count) =>
            {
                if (count.NumberOfConnectedGateways < count.PreviousNumberOfConnectedGateways) onSiloLost();
            });
            if (TlsSettings.Read(Silo.Http.ServingConfiguration.OfEnvironment()) is { } tls) client.UseMutualTls(tls);
        });
        return builder.Build();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static ServerUnreachableException NoSilo(RedisAddress address) => new(
        $"{address} answers, but no silo of its cluster does. Start one: ensemble-silo --cluster {address} --runs DIR (one off loopback needs the certificates of ENSEMBLE__TLS__… here, too).");

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    /// <summary>Signals are the commands' own; the ordinary one would swallow them.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

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
internal sealed class RemoteCluster(IHost host) : ICluster
{
    /// <summary>How long silos have to answer at first.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public IGrainFactory Grains => host.Services.GetRequiredService<IGrainFactory>();

    public bool OutlivesProcess => true;

    /// <exception cref="RedisUnreachableException">Redis does not answer.</exception>
    /// <exception cref="ServerUnreachableException">No silo does.</exception>
    public static async Task<ICluster> ConnectAsync(RedisAddress address, CancellationToken cancellation)
    {
        // First by itself: Orleans' own attempts end in a longer story.
        string? clusterId;
        await using (var redis = await address.ConnectAsync()) clusterId = await RedisClusterId.FindAsync(redis);
        if (clusterId is null) throw NoSilo(address);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        EmbeddedCluster.Logs?.Invoke(builder.Logging);
        builder.UseOrleansClient(client =>
        {
            client.UseEnsembleRedis(address.ToConfiguration(), clusterId);
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2));
            if (TlsSettings.Read(Silo.Http.ServingConfiguration.OfEnvironment()) is { } tls) client.UseMutualTls(tls);
        });
        var host = builder.Build();
        try
        {
            await host.StartAsync(cancellation).WaitAsync(s_patience, cancellation);
            return new RemoteCluster(host);
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException
            || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            host.Dispose();
            throw NoSilo(address);
        }
    }

    private static ServerUnreachableException NoSilo(RedisAddress address) => new(
        $"{address} answers, but no silo of its cluster does. Start one: ensemble-silo --cluster {address} --runs DIR (one off loopback needs the certificates of ENSEMBLE__TLS__… here, too).");

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}

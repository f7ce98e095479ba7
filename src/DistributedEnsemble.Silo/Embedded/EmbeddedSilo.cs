using System.Net;
using DistributedEnsemble.Grains;
using DistributedEnsemble.Silo.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;

namespace DistributedEnsemble.Silo;

/// <summary>
/// A cluster of one silo inside this process: on an ephemeral loopback port, under a random cluster id, without a gateway.
/// </summary>
public sealed class EmbeddedSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private EmbeddedSilo(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <param name="configure">What the silo offers to runs.</param>
    /// <param name="logs">Where its logs go; null drops them.</param>
    public static async Task<EmbeddedSilo> StartAsync(
        Action<EnsembleTrainingOptions> configure, Action<ILoggingBuilder>? logs = null, CancellationToken cancellationToken = default)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logs?.Invoke(builder.Logging);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            silo.Configure<ClusterOptions>(options => options.ClusterId = options.ServiceId = $"embedded-{Guid.NewGuid():N}");
            silo.Configure<EndpointOptions>(options =>
            {
                options.GatewayPort = 0;
                options.SiloListeningEndpoint = new IPEndPoint(IPAddress.Loopback, 0);
            });
            silo.AddEnsembleTraining(configure).CollectForDashboard();
        });
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new EmbeddedSilo(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}

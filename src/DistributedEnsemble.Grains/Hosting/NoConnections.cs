using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;
using Orleans.Runtime.Messaging;

namespace DistributedEnsemble.Grains.Hosting;

/// <summary>
/// For a cluster of one silo, whose own process alone asks it. Whoever speaks Orleans' protocol to a silo can submit runs, read their
/// weights and delete them, and any user of a machine reaches its loopback.
/// </summary>
public static class NoConnections
{
    /// <summary>Opens no gateway, and closes what connects to the port for silos. Comes after what sets the ports, as <c>UseLocalhostClustering</c> does.</summary>
    public static ISiloBuilder AcceptNoConnections(this ISiloBuilder silo)
    {
        silo.Configure<EndpointOptions>(options => options.GatewayPort = 0);
        return silo.Configure<SiloConnectionOptions>(options =>
        {
            options.ConfigureSiloInboundConnection(connection => connection.UseMiddleware(new Refusal()));
            options.ConfigureGatewayInboundConnection(connection => connection.UseMiddleware(new Refusal()));
        });
    }

    private sealed class Refusal : IConnectionMiddleware
    {
        public Task OnConnectionAsync(ConnectionContext context, ConnectionDelegate next) => Task.CompletedTask;
    }
}

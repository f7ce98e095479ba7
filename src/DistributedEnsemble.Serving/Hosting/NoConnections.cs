using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;
using Orleans.Runtime.Messaging;

namespace DistributedEnsemble.Serving.Hosting;

/// <summary>
/// A cluster of one silo: it has no gateway, and closes what connects to its port for silos. Whoever spoke Orleans' protocol to it
/// could call every grain, and any user of the machine reaches loopback.
/// </summary>
internal static class NoConnections
{
    public static ISiloBuilder AcceptNobody(this ISiloBuilder silo)
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

using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace DistributedEnsemble.Grains.Security;

/// <summary>Lets silos and clients talk over mutual TLS alone.</summary>
public static class MutualTlsExtensions
{
    /// <summary>Lets a silo speak only mutual TLS 1.3: to and from other silos, and on its gateway.</summary>
    /// <exception cref="TlsException">A file is missing or unusable; thrown here, before anything binds or connects.</exception>
    public static ISiloBuilder UseMutualTls(this ISiloBuilder silo, TlsSettings settings)
    {
        var identities = new TlsIdentitySource(settings, accepts: true, TimeProvider.System);
        RefusalLog? refusals = null;
        return silo.Configure<SiloConnectionOptions>(options =>
        {
            options.ConfigureSiloInboundConnection(connection => connection.UseMiddleware(Inbound(connection, silosOnly: true)));
            options.ConfigureGatewayInboundConnection(connection => connection.UseMiddleware(Inbound(connection, silosOnly: false)));
            options.ConfigureSiloOutboundConnection(connection => connection.UseMiddleware(new OutboundMutualTls(identities, Log(connection))));
        });

        InboundMutualTls Inbound(IConnectionBuilder connection, bool silosOnly)
        {
            var log = Log(connection);
            return new InboundMutualTls(identities, refusals ??= new RefusalLog(TimeProvider.System, log), silosOnly, log);
        }
    }

    /// <summary>Lets a client outside of the cluster speak to gateways that ask for mutual TLS.</summary>
    /// <inheritdoc cref="UseMutualTls(ISiloBuilder, TlsSettings)" path="/exception"/>
    public static IClientBuilder UseMutualTls(this IClientBuilder client, TlsSettings settings)
    {
        var identities = new TlsIdentitySource(settings, accepts: false, TimeProvider.System);
        return client.Configure<ClientConnectionOptions>(options =>
            options.ConfigureConnection(connection => connection.UseMiddleware(new OutboundMutualTls(identities, Log(connection)))));
    }

    private static ILogger Log(IConnectionBuilder connection) =>
        connection.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("DistributedEnsemble.Grains.MutualTls");
}

using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

/// <summary>A redis-server of this machine, on loopback, in the place of Aspire's container. Orleans knows by the name of its class what it is.</summary>
internal sealed class Redis(string name, string folder, int port) : ExecutableResource(name, "redis-server", folder), IResourceWithConnectionString
{
    public string Port { get; } = $"{port}";

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"127.0.0.1:{Port}");

    public IEnumerable<KeyValuePair<string, ReferenceExpression>> GetConnectionProperties() => [new("Uri", ReferenceExpression.Create($"redis://127.0.0.1:{Port}"))];
}

internal static class LocalRedis
{
    public static IResourceBuilder<Redis> AddLocalRedis(this IDistributedApplicationBuilder builder, string name, string folder)
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        var redis = new Redis(name, Directory.CreateDirectory(folder).FullName, ((IPEndPoint)socket.LocalEndpoint).Port);
        // A silo must find it, and a process that has started may not listen yet.
        var check = $"{name}_check";
        builder.Services.AddHealthChecks().AddRedis($"127.0.0.1:{redis.Port}", check);
        return builder.AddResource(redis).WithHealthCheck(check).WithArgs("--port", redis.Port, "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always");
    }
}

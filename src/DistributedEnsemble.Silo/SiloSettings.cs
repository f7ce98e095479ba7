using System.Net;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;

namespace DistributedEnsemble.Silo;

/// <summary>How a silo takes part: from the command line, environment variables (ENSEMBLE__…) and appsettings.</summary>
internal sealed record SiloSettings
{
    /// <summary>redis://… of the cluster; null is a cluster of this process alone.</summary>
    public string? Cluster { get; init; }
    public string Runs { get; init; } = "runs";

    /// <summary>s3://… that has the runs' files; null keeps them in <see cref="Runs"/>.</summary>
    public string? Store { get; init; }
    public string? Data { get; init; }
    public int Lanes { get; init; } = Environment.ProcessorCount;

    /// <summary>"low" or "idle"; null is idle where HTTP is served, because clients that wait for an answer come first.</summary>
    public string? LanePriority { get; init; }

    /// <summary>Listened on and advertised.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Null is the first free one.</summary>
    public int? SiloPort { get; init; }

    /// <summary>Null is the first free one.</summary>
    public int? GatewayPort { get; init; }

    /// <summary>Where HTTP is served; null is where the settings of serving say, and does not serve it if they say nothing.</summary>
    public string? Http { get; init; }

    /// <summary>Where gRPC is served; null is where the settings of serving say, and does not serve it if they say nothing.</summary>
    public string? Grpc { get; init; }
}

/// <summary>Settings that were checked: nothing is bound or connected yet.</summary>
internal sealed record CheckedSettings(SiloSettings Given, IPAddress Address, LanePriority LanePriority, RedisAddress? Redis, ObjectStoreAddress? Store, TlsSettings? Tls)
{
    private const int MostLanes = 1024;

    /// <exception cref="SiloSettingsException">The settings are refused.</exception>
    /// <exception cref="RedisAddressException">The address of the Redis is none.</exception>
    /// <exception cref="ObjectStoreAddressException">The address of the store is none.</exception>
    /// <exception cref="TlsException">Certificates are missing.</exception>
    public static CheckedSettings Of(SiloSettings settings, IConfiguration configuration)
    {
        settings = settings with { Http = settings.Http ?? configuration.ServingUrl() };
        if (settings.Lanes is < 1 or > MostLanes) throw new SiloSettingsException($"--lanes is {settings.Lanes}: a silo has 1 to {MostLanes} lanes.");
        var priority = settings.LanePriority switch
        {
            null => settings.Http is null ? LanePriority.Low : LanePriority.Idle,
            "low" => LanePriority.Low,
            "idle" => LanePriority.Idle,
            var other => throw new SiloSettingsException($"--lane-priority is {OneLine.Excerpt(other)}: it is low or idle."),
        };
        if (!IPAddress.TryParse(settings.Address, out var address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            throw new SiloSettingsException($"--address is {settings.Address}: it takes an IP address of this machine that the other silos reach, as in 10.0.0.2.");
        if (settings is { Grpc: { } grpc, Http: null })
            throw new SiloSettingsException($"--grpc is {OneLine.Excerpt(grpc)}, and there is no --http: gRPC is served beside it.");
        CheckPort("--silo-port", settings.SiloPort);
        CheckPort("--gateway-port", settings.GatewayPort);
        if (settings is { GatewayPort: not null, Cluster: null })
            throw new SiloSettingsException($"--gateway-port is {settings.GatewayPort}, and there is no --cluster: a silo alone takes no clients but those of --http.");
        if (settings.SiloPort is { } port && port == settings.GatewayPort)
            throw new SiloSettingsException($"--silo-port and --gateway-port are both {port}: silos and clients need a port each.");
        if (settings.Data is { } data && !Directory.Exists(data)) throw new SiloSettingsException($"--data {data} does not exist: it takes a folder with datasets.");
        if (settings.Runs.Length == 0) throw new SiloSettingsException("--runs is empty: it takes the folder that all silos share, or, with --store, one of this silo alone.");
        if (File.Exists(settings.Runs)) throw new SiloSettingsException($"--runs {settings.Runs} is a file: it takes the folder that all silos share, or, with --store, one of this silo alone.");
        var redis = settings.Cluster is null ? null : RedisAddress.Parse(settings.Cluster, "--cluster");
        var store = settings.Store is null ? null : ObjectStoreAddress.Parse(settings.Store, "--store");
        var tls = TlsSettings.Read(configuration);
        if (IPAddress.IsLoopback(address))
        {
            if (redis is { IsLoopback: false })
            {
                throw new SiloSettingsException(
                    $"--cluster {redis} is not on this machine, and --address {address} is: other silos could not reach this one. Give the --address that they see.");
            }
        }
        else if (tls is null)
        {
            throw new SiloSettingsException(
                $"--address {address} is not loopback, and whoever reaches a silo can do anything: it needs mutual TLS. Set ENSEMBLE__TLS__CERTIFICATE, "
                + "ENSEMBLE__TLS__KEY and ENSEMBLE__TLS__AUTHORITY (deploy/make-certificates makes the files).");
        }

        return new CheckedSettings(settings, address, priority, redis, store, tls);
    }

    private static void CheckPort(string option, int? port)
    {
        if (port is < 1 or > 65535) throw new SiloSettingsException($"{option} is {port}: a port is a number from 1 to 65535.");
    }
}

using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Messaging;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// The gateways of a cluster, as a client finds them: in the table of silos that Orleans keeps in Redis. Orleans' own way there begins
/// that table where there is none, and so asks for the right to write it: whoever may add a row to it may add one that stops all silos.
/// This one reads.
/// </summary>
internal sealed class RedisGateways(ConfigurationOptions redis, IOptions<ClusterOptions> cluster, IOptions<GatewayOptions> gateways) : IGatewayListProvider, IAsyncDisposable
{
    /// <summary>As Orleans writes it: <see cref="SiloStatus.Active"/>.</summary>
    private const int Active = (int)SiloStatus.Active;

    private readonly RedisKey _table = $"{cluster.Value.ServiceId}/members/{cluster.Value.ClusterId}";
    private ConnectionMultiplexer? _redis;

    public TimeSpan MaxStaleness => gateways.Value.GatewayListRefreshPeriod;

    public bool IsUpdatable => true;

    public async Task InitializeGatewayListProvider() => _redis = await ConnectionMultiplexer.ConnectAsync(redis);

    public async Task<IList<Uri>> GetGateways() =>
        [.. (await _redis!.GetDatabase().HashGetAllAsync(_table)).Select(row => GatewayOf(row.Value)).OfType<Uri>()];

    /// <summary>The gateway of a silo that lives and has one; null for everything else that is in the table.</summary>
    internal static Uri? GatewayOf(string? row)
    {
        try
        {
            var silo = JsonSerializer.Deserialize<Row>(row ?? "");
            if (silo is not { Status: Active, ProxyPort: > 0 and <= IPEndPoint.MaxPort, SiloAddress.SiloAddress: { } text }) return null;
            var address = SiloAddress.FromParsableString(text);
            return SiloAddress.New(address.Endpoint.Address, silo.ProxyPort, address.Generation).ToGatewayUri();
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null) await _redis.DisposeAsync();
    }

    private sealed record Row(Address? SiloAddress, int Status, int ProxyPort);

    private sealed record Address(string? SiloAddress);
}

using DistributedEnsemble.Tests.Processes;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>A Redis of one test, and a connection to it; both go with its folder.</summary>
internal sealed class LocalRedis : IAsyncDisposable
{
    private readonly RedisServer _server;
    private readonly TemporaryFolder _folder;

    private LocalRedis(RedisServer server, TemporaryFolder folder, ConnectionMultiplexer connection) => (_server, _folder, Connection) = (server, folder, connection);

    public ConnectionMultiplexer Connection { get; }

    /// <summary>The bytes of all commands so far, as the append-only file has them.</summary>
    public long Written => new DirectoryInfo(_folder.Path).EnumerateFiles("*.aof", SearchOption.AllDirectories).Sum(file => file.Length);

    public static async Task<LocalRedis> StartAsync()
    {
        Assert.SkipWhen(RedisServer.Program is null, RedisServer.IsMissing);
        var folder = new TemporaryFolder();
        var server = new RedisServer(folder.Path, Host.Here, password: null, certificates: null);
        await server.StartAsync();
        return new LocalRedis(server, folder, await ConnectionMultiplexer.ConnectAsync($"{Host.Here.Address}:{server.Port},allowAdmin=true"));
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await _server.DisposeAsync();
        _folder.Dispose();
    }
}

using System.Diagnostics;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>A Redis with an append-only file on loopback, which goes with its folder.</summary>
internal sealed class LocalRedis : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private LocalRedis(Process process, string folder, ConnectionMultiplexer connection) =>
        (_process, _folder, Connection) = (process, folder, connection);

    public ConnectionMultiplexer Connection { get; }

    /// <summary>The bytes of all commands so far, as the append-only file has them.</summary>
    public long Written => new DirectoryInfo(_folder).EnumerateFiles("*.aof", SearchOption.AllDirectories).Sum(file => file.Length);

    public static async Task<LocalRedis> StartAsync()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(path => Path.Combine(path, "redis-server")).FirstOrDefault(File.Exists);
        if (program is null) Assert.Skip("redis-server is not installed: apt-get install redis-server");
        var (folder, port) = (Directory.CreateTempSubdirectory("ensemble-").FullName, LoopbackPort.Free());
        var process = Process.Start(new ProcessStartInfo(program!, [
            "--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        ]) { RedirectStandardOutput = true })!;
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains("Ready to accept", StringComparison.Ordinal))
        {
        }

        var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},allowAdmin=true");
        return new LocalRedis(process, folder, connection);
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

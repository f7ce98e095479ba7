using System.Net;
using System.Net.Sockets;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>A real Redis with an append-only file, on a free port of loopback, in a folder of its own.</summary>
internal sealed class RedisServer(string folder, string? password = null) : IAsyncDisposable
{
    private LocalProcess? _process;

    public int Port { get; } = FreePort();

    public string Url => password is null ? Address : $"redis://:{password}@127.0.0.1:{Port}";

    /// <summary>Without the password.</summary>
    public string Address => $"redis://127.0.0.1:{Port}";

    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(path => Path.Combine(path, "redis-server")).FirstOrDefault(File.Exists);

    public async Task StartAsync()
    {
        Directory.CreateDirectory(folder);
        _process = new LocalProcess(
            Program!, "--port", $"{Port}", "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
            "--requirepass", password ?? "");
        await Until.TrueAsync(() => _process.Output.Contains("Ready to accept connections", StringComparison.Ordinal));
    }

    public Task KillAsync() => _process!.KillAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

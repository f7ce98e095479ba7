using System.Net;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>A real Redis with an append-only file, in a folder of its own.</summary>
/// <param name="certificates">The folder of redis.crt and redis.key; null is no TLS.</param>
internal sealed class RedisServer(string folder, Host host, string? password, string? certificates) : IAsyncDisposable
{
    private LocalProcess? _process;

    public int Port { get; } = LoopbackPort.Free();

    public string Url => (password is null ? Address : Address.Replace("://", $"://:{password}@", StringComparison.Ordinal)) + Word;

    /// <summary>On a network of the test's own.</summary>
    private string Word => certificates is null && !IPAddress.IsLoopback(IPAddress.Parse(host.Address)) ? "?plaintext" : "";

    /// <summary>Without the password.</summary>
    public string Address => $"{(certificates is null ? "redis" : "rediss")}://{host.Address}:{Port}";

    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(path => Path.Combine(path, "redis-server")).FirstOrDefault(File.Exists);

    /// <summary>Why a test that needs it is skipped.</summary>
    public const string IsMissing = "redis-server is not installed: apt-get install redis-server";

    public async Task StartAsync()
    {
        Directory.CreateDirectory(folder);
        string[] listen = certificates is null
            ? ["--port", $"{Port}"]
            : ["--port", "0", "--tls-port", $"{Port}", "--tls-auth-clients", "no", "--tls-ca-cert-file", Path.Combine(certificates, "authority.crt"),
                "--tls-cert-file", Path.Combine(certificates, "redis.crt"), "--tls-key-file", Path.Combine(certificates, "redis.key")];
        _process = host.Start(Program!, [
            .. listen, "--bind", host.Address, "--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
            "--requirepass", password ?? ""]);
        await Until.TrueAsync(() => _process.Output.Contains("Ready to accept connections", StringComparison.Ordinal));
    }

    public Task KillAsync() => _process!.KillAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
    }
}

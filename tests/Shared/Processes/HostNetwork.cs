namespace DistributedEnsemble.Tests.Processes;

/// <summary>Network namespaces as hosts on one bridge: each has an address and a certificate, and its cable can be pulled.</summary>
internal sealed class HostNetwork : IAsyncDisposable
{
    private const string Network = "10.213.78";

    private static int s_networks;

    /// <summary>Devices have at most 15 letters in their names. The networks may have the same addresses: nothing connects them.</summary>
    private readonly string _name = $"ens{System.Environment.ProcessId % 100_000}{(char)('a' + (Interlocked.Increment(ref s_networks) % 26))}";
    private readonly TemporaryFolder _certificates = new();
    private readonly Dictionary<string, Host> _hosts = [];

    private HostNetwork()
    {
    }

    public Host this[string host] => _hosts[host];

    public static async Task<HostNetwork> StartAsync(params string[] hosts)
    {
        await SkipUnlessPermittedAsync();
        var network = new HostNetwork();
        try
        {
            await network.AddAsync(hosts);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Nothing comes to the host or from it any more; whoever talks to it hears nothing, not even that it is gone.</summary>
    public Task CutAsync(string host) => IpAsync("link", "set", Cable(host), "down");

    public Task HealAsync(string host) => IpAsync("link", "set", Cable(host), "up");

    public async ValueTask DisposeAsync()
    {
        foreach (var (name, host) in _hosts)
        {
            // With its namespace alone it would go some time later, and the next network could not lay its own.
            await TryIpAsync("link", "del", Cable(name));
            await TryIpAsync("netns", "del", host.Namespace!);
        }

        await TryIpAsync("link", "del", _name);
        _certificates.Dispose();
    }

    public static async Task SkipUnlessPermittedAsync()
    {
        try
        {
            await using var probe = new LocalProcess("unshare", "--net", "ip", "link", "set", "lo", "up");
            if (await probe.ExitAsync() != 0) Assert.Skip($"Only root can make network namespaces: {probe.Errors}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("ip is not installed: apt-get install iproute2");
        }
    }

    private async Task AddAsync(string[] hosts)
    {
        await LocalProcess.RunAsync(
            Repository.File("deploy/make-certificates"), [_certificates.Path, .. hosts.Select((host, number) => $"{host},{Network}.{number + 1}")]);
        await IpAsync("link", "add", _name, "type", "bridge");
        await IpAsync("link", "set", _name, "up");
        foreach (var (number, name) in hosts.Index())
        {
            var host = new Host($"{Network}.{number + 1}", $"{_name}-{name}") { Environment = Certificates.Of(_certificates.Path, name) };
            await IpAsync("netns", "add", host.Namespace!);
            _hosts[name] = host;
            await IpAsync("link", "add", Cable(name), "type", "veth", "peer", "name", "eth0", "netns", host.Namespace!);
            await IpAsync("link", "set", Cable(name), "master", _name, "up");
            await IpAsync("-n", host.Namespace!, "addr", "add", $"{host.Address}/24", "dev", "eth0");
            await IpAsync("-n", host.Namespace!, "link", "set", "eth0", "up");
            await IpAsync("-n", host.Namespace!, "link", "set", "lo", "up");
        }
    }

    /// <summary>The bridge's end of it.</summary>
    private string Cable(string host) => $"{_name}v{_hosts[host].Address.Split('.')[^1]}";

    private static Task<string> IpAsync(params string[] arguments) => LocalProcess.RunAsync("ip", arguments);

    private static async Task TryIpAsync(params string[] arguments)
    {
        await using var process = new LocalProcess("ip", arguments);
        await process.ExitAsync();
    }
}

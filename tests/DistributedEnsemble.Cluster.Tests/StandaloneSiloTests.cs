using System.Net;
using System.Net.Sockets;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>A silo without a cluster, as a program.</summary>
public sealed class StandaloneSiloTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Alone_it_has_no_gateway_and_closes_what_connects_to_it()
    {
        await using var silo = Start();
        await silo.ReadyAsync();

        Assert.EndsWith("lanes, no gateway.", silo.Output.TrimEnd());
        using var stranger = new TcpClient();
        await stranger.ConnectAsync(IPEndPoint.Parse(silo.Endpoint!), TestContext.Current.CancellationToken);
        Assert.Equal(0, await ReadAsync(stranger));
        silo.Terminate();
        Assert.Equal(0, await silo.ExitAsync());
    }

    [Fact]
    public async Task A_port_for_clients_needs_a_cluster()
    {
        await using var silo = Start("--gateway-port", "30001");

        Assert.Equal(2, await silo.ExitAsync());
        Assert.Equal("--gateway-port is 30001, and there is no --cluster: a silo alone takes no clients but those of --http.\n", silo.Errors);
    }

    [Fact]
    public async Task Settings_of_the_folder_that_it_is_started_in_are_not_its_own()
    {
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"), """{ "Ensemble": { "Lanes": 0 } }""");
        await using var silo = new SiloProcess(() => Host.Here.Start("sh", ["-c", "cd \"$1\" && shift && exec \"$@\"", "sh", _folder, SiloProcess.Program, "--lanes", "1"]));

        await silo.ReadyAsync();
    }

    [Theory, InlineData(50), InlineData(200), InlineData(400), InlineData(600), InlineData(800), InlineData(1000), InlineData(1300), InlineData(1700)]
    public async Task A_stop_while_it_starts_is_one_line_and_leaves_nothing(int milliseconds)
    {
        await using var silo = Start("--http", "http://127.0.0.1:0");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        var wasReady = silo.Endpoint is not null;

        silo.Terminate();

        Assert.Equal(wasReady ? 0 : 143, await silo.ExitAsync());
        // Before the program's first line, the system ends it.
        if (!wasReady) Assert.True(silo.Errors is "" or "Stopped before the silo was ready.\n", silo.Errors);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    private SiloProcess Start(params IEnumerable<string> more) =>
        new(() => Host.Here.Start(SiloProcess.Program, ["--runs", Path.Combine(_folder, "runs"), "--lanes", "1", .. more]));

    /// <returns>0 if the other side closes the connection without a word.</returns>
    private static async Task<int> ReadAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

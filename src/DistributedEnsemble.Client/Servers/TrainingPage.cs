using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Servers;

/// <summary>The live page of a run while this process trains it, on loopback alone.</summary>
internal sealed class TrainingPage(SharedOptions shared, Consoles consoles)
{
    /// <summary>Set where a desktop shows what a process opens.</summary>
    private static readonly string[] s_desktops = ["DISPLAY", "WAYLAND_DISPLAY"];

    private readonly Option<bool> _open = new("--open") { Description = "Serve the live page on loopback while it trains, and show it in a browser where there is one." };

    public void AddTo(Command command) => command.Add(_open);

    /// <summary>Whether it was asked for.</summary>
    /// <exception cref="UsageException">It was, and other processes train.</exception>
    public bool IsAsked(ParseResult parsed)
    {
        if (!parsed.GetValue(_open)) return false;
        return shared.Read(parsed).Cluster is null ? true : throw new UsageException("--open and --cluster exclude each other: each silo of the cluster shows the page itself, where its --http says.");
    }

    /// <returns>The server, which ends with the training.</returns>
    public async Task<IAsyncDisposable> ServeAsync(ICluster cluster, RunKey run)
    {
        var server = await HttpServer.StartAsync(cluster.Grains, cluster.Storage, new HttpSettings { Url = "http://127.0.0.1:0" }, logs: EmbeddedCluster.Logs);
        var address = $"{server.Url}/#/runs/{run.Name}";
        consoles.Error.WriteRaw($"Watch it at {address}");
        Show(address);
        return server;
    }

    /// <summary>Where nobody sits at a desktop, there is nothing to show it on.</summary>
    private void Show(string address)
    {
        var hasDesktop = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
            || s_desktops.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 });
        if (!hasDesktop || !consoles.CanAsk) return;
        try
        {
            using var browser = Process.Start(new ProcessStartInfo(address) { UseShellExecute = true });
        }
        catch (Win32Exception)
        {
            // The address has been printed.
        }
    }
}

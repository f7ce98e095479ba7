using System.Text;
using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>Redis and silos as processes of this machine or of hosts in it, with a folder that the silos share.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ensemble-cluster-").FullName;
    private readonly HostNetwork? _network;

    /// <summary>Where this process sees the runs: a silo may have a disk of its own there.</summary>
    private string _seen;

    private LocalCluster(string? password, HostNetwork? network, string? certificates)
    {
        (_network, _seen) = (network, Runs);
        Redis = new RedisServer(Path.Combine(_root, "redis"), network?["redis"] ?? Host.Here, password, certificates);
        Driver = network?["driver"] ?? Host.Here;
    }

    public RedisServer Redis { get; }

    /// <summary>Where the driver runs.</summary>
    public Host Driver { get; set; }

    public string Runs => Path.Combine(_root, "runs");

    public List<SiloProcess> Silos { get; } = [];

    /// <summary>Those that run and are not paused.</summary>
    public IReadOnlyList<SiloProcess> Alive => [.. Silos.Where(silo => !silo.HasExited && !silo.IsPaused)];

    /// <param name="network">Where each process has a host of its own: "redis", "driver", and "silo-1" and so on.</param>
    /// <param name="certificates">Those of Redis.</param>
    public static async Task<LocalCluster> StartAsync(
        int silos, int lanes = 1, string? password = null, HostNetwork? network = null, string? certificates = null)
    {
        var cluster = new LocalCluster(password, network, certificates);
        try
        {
            if (RedisServer.Program is null) Assert.Skip(RedisServer.IsMissing);
            await cluster.Redis.StartAsync();
            await Task.WhenAll(Enumerable.Range(0, silos).Select(_ => cluster.AddSiloAsync(lanes)));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task<SiloProcess> AddSiloAsync(int lanes = 1, params IEnumerable<string> more)
    {
        var host = _network?[$"silo-{Silos.Count + 1}"] ?? Host.Here;
        return AddSiloAsync(() => host.Start(
            SiloProcess.Program, ["--cluster", Redis.Url, "--runs", Runs, "--lanes", $"{lanes}", "--address", host.Address, .. more]));
    }

    /// <summary>A silo whose runs lie on a disk of their own, mounted with these options.</summary>
    public async Task<SiloProcess> AddSiloOnDiskAsync(string options)
    {
        const string OnDisk = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && shift 2 && exec \"$@\"";
        Directory.CreateDirectory(Runs);
        var silo = await AddSiloAsync(() => new LocalProcess(
            "unshare", "-m", "sh", "-c", OnDisk, "sh", options, Runs, SiloProcess.Program, "--cluster", Redis.Url, "--runs", Runs, "--lanes", "1"));
        _seen = $"/proc/{silo.Id}/root{Runs}";
        return silo;
    }

    public async Task<SiloProcess> AddSiloAsync(Func<LocalProcess> start)
    {
        var silo = new SiloProcess(start);
        Silos.Add(silo);
        await silo.ReadyAsync();
        return silo;
    }

    /// <summary>The silo that trains the member.</summary>
    public SiloProcess SiloOf(MemberStatus member) => Alive.Single(silo => silo.Endpoint == member.Silo);

    /// <summary>Starts the driver against this cluster.</summary>
    public LocalProcess Drive(params IEnumerable<string> arguments) =>
        Driver.Start(Path.Combine(AppContext.BaseDirectory, "ensemble"), [.. arguments, "--cluster", Redis.Url]);

    /// <summary>Waits for a driver to come to a good end.</summary>
    public async Task<string> EndsAsync(LocalProcess driver)
    {
        await UntilAsync("the driver ends", () => driver.HasExited ? driver : null);
        var exitCode = await driver.ExitAsync();
        Assert.True(exitCode == 0, $"The driver ended with {exitCode}: {driver.Errors}{Said()}");
        return driver.Output;
    }

    /// <summary>Runs the driver to its end, which must be a good one.</summary>
    public async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        await using var driver = Drive(arguments);
        return await EndsAsync(driver);
    }

    /// <summary>A spec in a file, for the driver.</summary>
    public string SpecFile(string spec) => OwnFile($"{Guid.NewGuid():N}.json", spec);

    /// <summary>The path of a file that only the driver knows; written, if there is something to write.</summary>
    public string OwnFile(string name, string? text = null)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_root, "client")).FullName, name);
        if (text is not null) File.WriteAllText(path, text);
        return path;
    }

    public RunFolder Folder(string run) => new(_seen, run);

    /// <summary>Waits until run.json is as wanted; a run that has ended otherwise will never be.</summary>
    public Task<RunStatus> WhenAsync(string run, Func<RunStatus, bool> isWanted) => UntilAsync(run, () =>
    {
        if (Read(run) is not { } status) return null;
        if (isWanted(status)) return status;
        Assert.False(status.HasEnded, $"The run ended as {status.State} ({status.Reason}) before what was waited for.{Said()}");
        return null;
    });

    /// <summary>Asks until there is an answer, and stands in for whoever supervises silos; a wait in vain says how things are.</summary>
    public async Task<T> UntilAsync<T>(string what, Func<T?> ask) where T : class
    {
        try
        {
            return await Until.AsksAsync(async () =>
            {
                await SuperviseAsync();
                return ask();
            });
        }
        catch (TimeoutException)
        {
            var files = Directory.EnumerateFiles(_root, "run.json", SearchOption.AllDirectories).Select(File.ReadAllText);
            throw new TimeoutException($"{what}: not within {Until.Patience}.\n{string.Join('\n', files)}{Said()}");
        }
    }

    public RunStatus? Read(string run)
    {
        try
        {
            return RunStatusJson.FromJson(File.ReadAllText(Folder(run).Status));
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>What the silos said of themselves.</summary>
    public string Said()
    {
        var text = new StringBuilder();
        foreach (var silo in Silos) text.Append($"\n— {silo.Endpoint}{(silo.HasExited ? $", ended with {silo.ExitCode}" : silo.IsPaused ? ", paused" : "")}:\n{silo.Output}{silo.Errors}");
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos) await silo.DisposeAsync();
        await Redis.DisposeAsync();
        if (_network is not null) await _network.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    /// <summary>On a machine that gives a silo no time, the others may call it dead: whoever runs a cluster starts such a silo again.</summary>
    private async Task SuperviseAsync()
    {
        const int Evicted = 4;
        foreach (var silo in Silos.Where(silo => silo.HasExited && !silo.IsMeantToEnd).ToList())
        {
            Assert.True(silo.ExitCode == Evicted, $"{silo.Endpoint} ended.{Said()}");
            silo.IsMeantToEnd = true;
            await AddSiloAsync(silo.Start);
        }

        if (Silos.Count > 0 && Silos.All(silo => silo.HasExited)) await AddSiloAsync(Silos[0].Start);
    }
}

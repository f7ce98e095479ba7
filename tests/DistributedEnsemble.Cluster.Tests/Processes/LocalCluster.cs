using System.Text.Json;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>Redis and silos as processes of this machine, with a folder that the silos share.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ensemble-cluster-").FullName;

    private LocalCluster() => Redis = new RedisServer(Path.Combine(_root, "redis"));

    public RedisServer Redis { get; }

    public string Runs => Path.Combine(_root, "runs");

    public List<SiloProcess> Silos { get; } = [];

    /// <summary>Those that run and are not paused.</summary>
    public IReadOnlyList<SiloProcess> Alive => [.. Silos.Where(silo => !silo.HasExited && !silo.IsPaused)];

    public static async Task<LocalCluster> StartAsync(int silos, int lanes = 1)
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("ENSEMBLE_TEST_CLUSTER") == "1", "Clusters of processes take minutes: ENSEMBLE_TEST_CLUSTER=1 dotnet test runs them.");
        if (RedisServer.Program is null) Assert.Skip("redis-server is not installed: apt-get install redis-server");
        var cluster = new LocalCluster();
        await cluster.Redis.StartAsync();
        // One after another: the first makes the cluster, and the ports are in order.
        for (var i = 0; i < silos; i++) await cluster.AddSiloAsync(lanes);
        return cluster;
    }

    public async Task<SiloProcess> AddSiloAsync(int lanes = 1)
    {
        var silo = new SiloProcess(Redis.Url, Runs, lanes);
        Silos.Add(silo);
        await silo.ReadyAsync();
        return silo;
    }

    /// <summary>Starts the driver against this cluster.</summary>
    public LocalProcess Drive(params IEnumerable<string> arguments) =>
        new(Path.Combine(AppContext.BaseDirectory, "ensemble"), [.. arguments, "--cluster", Redis.Url]);

    /// <summary>Runs the driver to its end, which must be a good one.</summary>
    public async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        await using var driver = Drive(arguments);
        var exitCode = await driver.ExitAsync();
        Assert.True(exitCode == 0, $"{string.Join(' ', arguments)} ended with {exitCode}: {driver.Errors}");
        return driver.Output;
    }

    /// <summary>A spec in a file, for the driver.</summary>
    public string SpecFile(string spec)
    {
        var path = Path.Combine(_root, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, spec);
        return path;
    }

    public RunFolder Folder(string run) => new(Runs, run);

    /// <summary>Waits until run.json is as wanted.</summary>
    public Task<RunStatus> WhenAsync(string run, Func<RunStatus, bool> isWanted) => Until.AsksAsync(() =>
        Task.FromResult(Read(run) is { } status && isWanted(status) ? status : null));

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

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos) await silo.DisposeAsync();
        await Redis.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }
}

using System.Text.RegularExpressions;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Benchmarks.Endurance;

/// <summary>
/// A Redis and silos with HTTP, each a process of its own, and a run that they share. Their caches are too small for the run:
/// each silo asks the others for the members that live there.
/// </summary>
internal sealed partial class ServedCluster : IAsyncDisposable
{
    public const string Run = "endurance";
    public const int Members = 10;

    /// <summary>Half of the ten models' weights.</summary>
    private const int CacheBytes = 4 << 20;

    private readonly string _root = Directory.CreateTempSubdirectory("ensemble-endurance-").FullName;
    private readonly HttpClient _client = new();
    private readonly List<Silo> _silos = [];
    private LocalProcess? _redis;

    private ServedCluster()
    {
    }

    public IReadOnlyList<Silo> Silos => _silos;

    public string RunsFolder => Path.Combine(_root, "runs");

    public static async Task<ServedCluster> StartAsync(int silos, string? data)
    {
        var cluster = new ServedCluster();
        try
        {
            var port = LoopbackPort.Free();
            cluster._redis = new LocalProcess(
                "redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--dir", cluster._root, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
            await cluster._redis.SaysAsync("Ready to accept connections");
            for (var i = 0; i < silos; i++) await cluster.AddSiloAsync(port, data);
            await cluster.TrainAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos) await silo.Process.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
        _client.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private async Task AddSiloAsync(int redis, string? data)
    {
        var process = new LocalProcess(
            Path.Combine(AppContext.BaseDirectory, "ensemble-silo"),
            [
                "--cluster", $"redis://127.0.0.1:{redis}", "--runs", RunsFolder, "--lanes", "1", "--http", "http://127.0.0.1:0",
                .. data is null ? Array.Empty<string>() : ["--data", data],
            ],
            ("ENSEMBLE__PREDICTION__CACHEBYTES", $"{CacheBytes}"));
        _silos.Add(new Silo(process, Address().Match(await process.SaysAsync("is ready")).Groups[1].Value));
    }

    private async Task TrainAsync()
    {
        await SubmitAsync($$"""
            { "name": "{{Run}}", "members": {{Members}}, "data": { "dataset": "fashion-mnist", "validationFraction": 0.8 }, "model": { "kind": "mlp", "hidden": [256] },
              "training": { "epochs": 1, "batchSize": 128 } }
            """);
        foreach (var silo in _silos)
        {
            while (!(await _client.GetAsync($"{silo.Url}/v2/models/{Run}/ready")).IsSuccessStatusCode) await Task.Delay(100);
        }
    }

    /// <summary>Trains another run to its end.</summary>
    public async Task<RunStatus> TrainAsync(string name, string spec)
    {
        await SubmitAsync(spec);
        while (true)
        {
            var status = RunStatusJson.FromJson(await _client.GetStringAsync($"{_silos[0].Url}/api/runs/{name}"));
            if (status.HasEnded) return status;
            await Task.Delay(100);
        }
    }

    private async Task SubmitAsync(string spec)
    {
        using var submitted = await _client.PostAsync($"{_silos[0].Url}/api/runs", new StringContent(spec));
        if (!submitted.IsSuccessStatusCode) throw new InvalidOperationException(await submitted.Content.ReadAsStringAsync());
    }

    [GeneratedRegex(@"HTTP at (\S+)\.$")]
    private static partial Regex Address();

    internal sealed record Silo(LocalProcess Process, string Url);
}

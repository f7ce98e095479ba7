using System.Text.RegularExpressions;
using DistributedEnsemble.Benchmarks.Endurance;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Benchmarks.Recovery;

/// <summary>A Redis and silos, each a process of its own, of which one after another is killed and started again.</summary>
internal sealed partial class KilledCluster : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1), s_answer = TimeSpan.FromMilliseconds(400);

    private readonly string _root = Directory.CreateTempSubdirectory("ensemble-recovery-").FullName;
    private readonly HttpClient _client = new() { Timeout = s_answer }, _patientClient = new();
    /// <summary>Null while one is not ready.</summary>
    private readonly Silo?[] _silos;
    private readonly int _lanes;
    private int _redisPort, _asked;
    private LocalProcess? _redis;

    private KilledCluster(int silos, int lanes) => (_silos, _lanes) = (new Silo?[silos], lanes);

    public IReadOnlyList<Silo> Silos => [.. _silos.Select(silo => silo!)];

    public static async Task<KilledCluster> StartAsync(int silos, int lanes)
    {
        var cluster = new KilledCluster(silos, lanes);
        try
        {
            cluster._redisPort = LoopbackPort.Free();
            cluster._redis = new LocalProcess(
                "redis-server", ["--port", $"{cluster._redisPort}", "--bind", "127.0.0.1", "--dir", cluster._root, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
            await cluster._redis.SaysAsync("Ready to accept connections");
            await Task.WhenAll(Enumerable.Range(0, silos).Select(cluster.StartAsync));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill(int silo) => _silos[silo]!.Process.Kill();

    /// <summary>Asks all silos to end, as whoever stops a cluster does.</summary>
    public Task EndAsync() => Task.WhenAll(_silos.OfType<Silo>().Select(silo => silo.Process.EndAsync()));

    /// <summary>What a supervisor does: another process takes the place of the one that was killed.</summary>
    public async Task StartAsync(int silo)
    {
        var before = _silos[silo];
        _silos[silo] = null;
        if (before is not null) await before.Process.DisposeAsync();
        var process = new LocalProcess(
            Path.Combine(AppContext.BaseDirectory, "ensemble-silo"),
            [
                "--cluster", $"redis://127.0.0.1:{_redisPort}", "--runs", Path.Combine(_root, "runs"), "--lanes", $"{_lanes}", "--http", "http://127.0.0.1:0",
                // As silos that serve nothing have it: beside programs that never rest the other priority hardly trains.
                "--lane-priority", "low",
            ]);
        var ready = await process.SaysAsync("is ready");
        _silos[silo] = new Silo(process, Address().Match(ready).Groups[1].Value, Endpoint().Match(ready).Value);
    }

    public async Task SubmitAsync(string spec)
    {
        using var submitted = await PostAsync("/api/runs", spec);
        if (!submitted.IsSuccessStatusCode) throw new InvalidOperationException(await submitted.Content.ReadAsStringAsync());
    }

    public async Task StopAsync(string run)
    {
        using var stopped = await PostAsync($"/api/runs/{run}/stop", "");
        if (!stopped.IsSuccessStatusCode) throw new InvalidOperationException(await stopped.Content.ReadAsStringAsync());
    }

    /// <summary>Asks one living silo after another until the run is as wanted.</summary>
    public async Task<RunStatus> WhenAsync(string run, Func<RunStatus, bool> isWanted)
    {
        for (var begun = DateTime.UtcNow; DateTime.UtcNow - begun < s_patience; await Task.Delay(10))
        {
            if (await AskAsync(run) is not { } status) continue;
            if (isWanted(status)) return status;
            if (status.State is not (RunState.Running or RunState.Queued)) throw new InvalidOperationException($"Run \"{run}\" is {status.State}: {status.Reason}");
        }

        throw new InvalidOperationException($"Run \"{run}\" did not come to what was waited for within {s_patience}.");
    }

    /// <returns>Null if the silo does not answer now: the coordinator's may be the one that is dead.</returns>
    private async Task<RunStatus?> AskAsync(string run)
    {
        try
        {
            using var answer = await _client.GetAsync($"{NextAlive().Url}/api/runs/{run}");
            return answer.IsSuccessStatusCode ? RunStatusJson.FromJson(await answer.Content.ReadAsStringAsync()) : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body) => _patientClient.PostAsync(NextAlive().Url + path, new StringContent(body));

    private Silo NextAlive()
    {
        while (true)
        {
            if (_silos[_asked++ % _silos.Length] is { Process.HasExited: false } silo) return silo;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos) if (silo is not null) await silo.Process.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
        _client.Dispose();
        _patientClient.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [GeneratedRegex(@"HTTP at (\S+)\.$")]
    private static partial Regex Address();

    [GeneratedRegex(@"127\.0\.0\.1:\d+")]
    private static partial Regex Endpoint();

    /// <param name="Endpoint">By which a status names it.</param>
    internal sealed record Silo(LocalProcess Process, string Url, string Endpoint);
}

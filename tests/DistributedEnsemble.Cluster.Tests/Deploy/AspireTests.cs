using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>The sample of an Aspire app: its model as Aspire publishes it, and the app itself with a Redis of this machine.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class AspireTests : IDisposable
{
    private static readonly string s_host = Repository.File(
        "samples", "AspireAppHost", "bin", Repository.Configuration, "net10.0", RuntimeInformation.RuntimeIdentifier, "AspireAppHost");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task Silos_and_driver_are_told_of_the_redis_whose_records_are_durable()
    {
        await LocalProcess.RunAsync(s_host, ["--publisher", "manifest", "--output-path", _folder.File("manifest.json")], Environment());

        var resources = JsonElement.Parse(File.ReadAllText(_folder.File("manifest.json"))).GetProperty("resources");
        var (redis, silo, driver) = (resources.GetProperty("redis"), resources.GetProperty("silo"), resources.GetProperty("driver"));
        Assert.Equal("container.v0", redis.GetProperty("type").GetString());
        Assert.EndsWith("--appendonly yes --appendfsync always", redis.GetProperty("args")[1].GetString(), StringComparison.Ordinal);
        Assert.Equal("/data", redis.GetProperty("volumes")[0].GetProperty("target").GetString());
        Assert.Equal("Redis", silo.GetProperty("env").GetProperty("Orleans__Clustering__ProviderType").GetString());
        Assert.Equal("redis", silo.GetProperty("env").GetProperty("Orleans__Clustering__ServiceKey").GetString());
        Assert.Equal("{redis.connectionString}", silo.GetProperty("env").GetProperty("ConnectionStrings__redis").GetString());
        Assert.Equal("{silo.bindings.orleans-gateway.targetPort}", silo.GetProperty("env").GetProperty("Orleans__Endpoints__GatewayPort").GetString());
        Assert.StartsWith("{redis.bindings.tcp.scheme}://:", driver.GetProperty("env").GetProperty("ENSEMBLE__CLUSTER").GetString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_app_trains_with_the_redis_of_this_machine_and_leaves_nothing_behind()
    {
        if (RedisServer.Program is null) Assert.Skip(RedisServer.IsMissing);
        // Its dashboard has fixed ports.
        await HostNetwork.SkipUnlessPermittedAsync();
        await using var app = new LocalProcess(
            "unshare", ["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", s_host, "--redis", "local", "--train", "now", "--members", "2", "--folder", _folder.Path],
            [.. Environment(), new("PATH", $"{LateRedis()}:{System.Environment.GetEnvironmentVariable("PATH")}")]);

        await Until.TrueAsync(() => app.HasExited || Status()?.HasEnded == true, () => $"{app.Output}{app.Errors}");

        Assert.False(app.HasExited, $"{app.Output}{app.Errors}");
        Assert.Equal(RunState.Completed, Status()!.State);
        Assert.All(Status()!.Members, member => Assert.StartsWith("127.0.0.1:", member.Silo, StringComparison.Ordinal));
        app.Signal(Signal.Interrupt);
        Assert.True(await app.ExitAsync() == 0, $"{app.Output}{app.Errors}");
        await Until.TrueAsync(() => !Directory.EnumerateDirectories("/proc").Any(IsOfThisApp));
    }

    /// <summary>The folder of a redis-server that is slow to start, longer than a silo that asks at once for Redis would live.</summary>
    private string LateRedis()
    {
        var program = Path.Combine(Directory.CreateDirectory(_folder.File("late")).FullName, "redis-server");
        File.WriteAllText(program, $"#!/bin/sh\nsleep 10\nexec {RedisServer.Program} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return Path.GetDirectoryName(program)!;
    }

    /// <summary>All that it starts inherits its home.</summary>
    private bool IsOfThisApp(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "environ")).Contains($"HOME={_folder.Path}\0", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private RunStatus? Status() =>
        _folder.File("runs/aspire/run.json") is var file && File.Exists(file) ? RunStatusJson.FromJson(File.ReadAllText(file)) : null;

    /// <summary>What Aspire writes into a home lies in the test's folder.</summary>
    private Dictionary<string, string> Environment() => new()
    {
        ["HOME"] = _folder.Path,
        ["DOTNET_ENVIRONMENT"] = "Development",
        ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
        ["ASPNETCORE_URLS"] = "http://127.0.0.1:15080",
        ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://127.0.0.1:19080",
        ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = "http://127.0.0.1:20080",
    };
}

using System.Diagnostics;
using System.Globalization;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>The scripts of deploy/ that start clusters.</summary>
public sealed class ScriptTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 300_000)]
    public async Task A_local_cluster_starts_trains_and_stops_and_leaves_nothing_running()
    {
        Assert.SkipWhen(RedisServer.Program is null, RedisServer.IsMissing);
        var environment = new Dictionary<string, string> { ["ENSEMBLE_LOCAL_CLUSTER"] = _folder.File("cluster"), ["ENSEMBLE_SILO"] = SiloProcess.Program };
        Assert.Equal((1, "nothing runs\n", ""), await ScriptAsync("status"));
        try
        {
            var (exitCode, said, errors) = await ScriptAsync("start", "2");
            Assert.True(exitCode == 0, errors);
            Assert.StartsWith("2 silos and their Redis are ready", said);
            Assert.Equal((2, "", "local-cluster: it runs already (redis); `deploy/local-cluster stop` ends it.\n"), await ScriptAsync("start", "2"));
            using (var killed = Process.GetProcessById(int.Parse(File.ReadAllText(_folder.File("cluster/silo-2.pid")).Split(' ')[0], CultureInfo.InvariantCulture))) killed.Kill();
            while (!(await ScriptAsync("status")).Output.Contains("silo-2 ended: ", StringComparison.Ordinal)) await Task.Delay(50, TestContext.Current.CancellationToken);
            Assert.Equal((0, "silo-2: ready\n", ""), await ScriptAsync("start", "2"));
            // The log of the one that was killed is still there.
            Assert.Equal(2, File.ReadLines(_folder.File("cluster/silo-2.log")).Count(line => line.Contains(" is ready", StringComparison.Ordinal)));
            await LocalProcess.RunAsync(Path.Combine(AppContext.BaseDirectory, "ensemble"), [
                "train", "--dataset", "digits", "--members", "2", "--epochs", "1", "--name", "local", "--cluster", _folder.File("cluster/address")]);
            Assert.Equal(RunState.Completed, RunStatusJson.FromJson(File.ReadAllText(_folder.File("cluster/runs/local/run.json"))).State);
            Assert.Equal(3, (await ScriptAsync("status")).Output.Split('\n').Count(line => line.Contains(" runs, process ")));
        }
        finally
        {
            var ids = Directory.GetFiles(_folder.File("cluster"), "*.pid").Select(file => File.ReadAllText(file).Split(' ')[0]).ToList();
            Assert.Equal((0, "stopped\n", ""), await ScriptAsync("stop"));
            Assert.All(ids, id => Assert.False(Runs(id), id));
        }

        Assert.Equal((1, "nothing runs\n", ""), await ScriptAsync("status"));

        static bool Runs(string id)
        {
            try
            {
                return !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);
            }
            catch (IOException)
            {
                return false;
            }
        }

        async Task<(int ExitCode, string Output, string Errors)> ScriptAsync(params string[] arguments)
        {
            await using var script = new LocalProcess(Repository.File("deploy/local-cluster"), arguments, environment);
            return (await script.ExitAsync(), script.Output, script.Errors);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task The_test_over_many_hosts_passes_with_two()
    {
        Assert.SkipWhen(RedisServer.Program is null, RedisServer.IsMissing);
        await HostNetwork.SkipUnlessPermittedAsync();

        await using var script = new LocalProcess(Repository.File("deploy/multi-host-test"), "2");
        try
        {
            Assert.True(await script.ExitAsync() == 0, $"{script.Output}{script.Errors}");
        }
        finally
        {
            // One that is only killed leaves its hosts behind.
            await script.EndAsync();
        }

        Assert.Equal(
            ["2 silos on hosts of their own", "a driver without a certificate is refused", "a driver of another authority is refused",
                "a driver with a wrong password is refused", "silo-2 trained, and was killed", "its member went on elsewhere, and the run is complete",
                "all 4 weights are those of a run on one machine"],
            script.Output.TrimEnd().Split('\n').Select(line => line["ok: ".Length..]));
    }
}

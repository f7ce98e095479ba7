using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Cluster.Tests.Failures;

/// <summary>Silos that share no folder: each has one of its own, and the runs are in a store of objects.</summary>
public sealed class ObjectStoreTests
{
    [Fact(Timeout = 300_000)]
    public async Task A_silo_that_is_killed_changes_nothing_of_a_run_whose_silos_share_objects_alone()
    {
        var spec = Specs.Of("objects", epochs: 800);
        await using var store = await S3Server.StartAsync();
        await using var cluster = await LocalCluster.StartAsync(silos: 0);
        using var objects = Open(store, cluster);
        foreach (var folder in (string[])["one", "two"]) await AddSiloAsync(store, cluster, folder);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec), "--json");
        await WhenAsync(cluster, objects, run => run.Members.Count(member => member.Step > 100) >= 2);

        await cluster.Silos[0].KillAsync();

        await cluster.EndsAsync(driver);
        await WhenAsync(cluster, objects, run => run.HasEnded);
        Undisturbed.IsWhatCameOutOf(new RunFolder(objects, "objects"), spec);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_run_goes_on_from_objects_alone_when_Redis_and_all_folders_were_lost()
    {
        var spec = Specs.Of("objects", epochs: 500);
        await using var store = await S3Server.StartAsync();
        ObjectStorage objects;
        await using (var lost = await LocalCluster.StartAsync(silos: 0))
        {
            objects = Open(store, lost);
            await AddSiloAsync(store, lost, "one");
            await using var driver = lost.Drive("train", lost.SpecFile(spec));
            await WhenAsync(lost, objects, run => run.Members.Any(member => member.Step > 100));
            await driver.KillAsync();
            await lost.Silos[0].KillAsync();
        }

        using (objects)
        {
            await using var cluster = await LocalCluster.StartAsync(silos: 0);
            await AddSiloAsync(store, cluster, "one");
            // A run that was in training goes on as soon as it is asked for.
            await cluster.RunAsync("watch", "objects");
            await WhenAsync(cluster, objects, run => run.HasEnded);
            Undisturbed.IsWhatCameOutOf(new RunFolder(objects, "objects"), spec);
        }
    }

    [Theory(Timeout = 600_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_is_away_for_a_while_changes_nothing_of_a_run(bool standsStill)
    {
        var spec = Specs.Of("objects", epochs: 100);
        await using var store = await S3Server.StartAsync();
        await using var cluster = await LocalCluster.StartAsync(silos: 0);
        using var objects = Open(store, cluster);
        foreach (var folder in (string[])["one", "two"]) await AddSiloAsync(store, cluster, folder);
        // However fast it trains, no run ends whose snapshots are not stored.
        var begins = store.BeforeAsync("/snapshots/", standsStill ? store.PauseAsync : store.KillAsync);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec), "--json");
        await cluster.UntilAsync("a snapshot comes", () => begins.IsCompleted ? begins : null);

        // Longer than one request is waited for, or than all tries of one take that is refused at once.
        var away = Task.Delay(TimeSpan.FromSeconds(standsStill ? 20 : 10), TestContext.Current.CancellationToken);
        Assert.Contains("objects", await cluster.RunAsync("status", "objects"), StringComparison.Ordinal);
        if (!standsStill) foreach (var command in (string[])["status", "watch", "evaluate"]) await IsToldInOneLineAsync(store, cluster, command);
        await away;
        Assert.False(driver.HasExited, driver.Errors);
        if (standsStill) store.Continue();
        else await store.RestartAsync();

        await cluster.EndsAsync(driver);
        await WhenAsync(cluster, objects, run => run.HasEnded);
        Undisturbed.IsWhatCameOutOf(new RunFolder(objects, "objects"), spec);
    }

    /// <summary>That nobody answers there.</summary>
    private static async Task IsToldInOneLineAsync(S3Server store, LocalCluster cluster, string command)
    {
        await using var asked = new LocalProcess(
            Path.Combine(AppContext.BaseDirectory, "ensemble"), [command, "objects", "--store", S3Server.Address("runs"), "--runs", cluster.OwnFile("asked")], store.Environment);
        await Until.TrueAsync(() => asked.HasExited);
        Assert.Equal(3, await asked.ExitAsync());
        Assert.StartsWith($"{S3Server.Address("runs")}: {store.Environment["AWS_ENDPOINT_URL"]} does not answer as a store of objects (", asked.Errors, StringComparison.Ordinal);
        Assert.Single(asked.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("", asked.Output);
    }

    private static Task<SiloProcess> AddSiloAsync(S3Server store, LocalCluster cluster, string folder) => cluster.AddSiloAsync(() => new LocalProcess(
        SiloProcess.Program,
        ["--cluster", cluster.Redis.Url, "--runs", cluster.OwnFile(folder), "--store", S3Server.Address("runs"), "--lanes", "2"], store.Environment));

    private static ObjectStorage Open(S3Server store, LocalCluster cluster) =>
        new(ObjectStoreAddress.Parse(S3Server.Address("runs"), "--store", name => store.Environment.GetValueOrDefault(name)), cluster.OwnFile("scratch"));

    private static Task<RunStatus> WhenAsync(LocalCluster cluster, ObjectStorage objects, Func<RunStatus, bool> isWanted) => cluster.UntilAsync(
        "objects", () => RunStatusFile.Read(new RunFolder(objects, "objects")) is { } status && isWanted(status) ? status : null);
}

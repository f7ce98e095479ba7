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

    private static Task<SiloProcess> AddSiloAsync(S3Server store, LocalCluster cluster, string folder) => cluster.AddSiloAsync(() => new LocalProcess(
        SiloProcess.Program,
        ["--cluster", cluster.Redis.Url, "--runs", cluster.OwnFile(folder), "--store", S3Server.Address("runs"), "--lanes", "2"], store.Environment));

    private static ObjectStorage Open(S3Server store, LocalCluster cluster) =>
        new(ObjectStoreAddress.Parse(S3Server.Address("runs"), "--store", name => store.Environment.GetValueOrDefault(name)), cluster.OwnFile("scratch"));

    private static Task<RunStatus> WhenAsync(LocalCluster cluster, ObjectStorage objects, Func<RunStatus, bool> isWanted) => cluster.UntilAsync(
        "objects", () => RunStatusFile.Read(new RunFolder(objects, "objects")) is { } status && isWanted(status) ? status : null);
}

using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests.Failures;

/// <summary>What comes too late, or comes back damaged.</summary>
public sealed class FencingTests
{
    [Fact]
    public async Task A_silo_that_slept_while_its_run_was_deleted_and_its_name_given_to_another_changes_nothing_of_the_other()
    {
        var spec = Specs.Of("again", members: 2, epochs: 300, seed: 8);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var watcher = cluster.Drive("train", cluster.SpecFile(Specs.Of("again", members: 2, epochs: 20000)));
        var before = await cluster.WhenAsync("again", run => run.Members.All(member => member is { State: MemberState.Training, Step: > 0 }));
        var sleeper = cluster.SiloOf(before.Members[1]);
        sleeper.Pause();
        await cluster.WhenAsync("again", run => run.Members.All(member => member.Silo != sleeper.Endpoint));
        await cluster.RunAsync("stop", "again");
        await cluster.WhenAsync("again", run => run.State == RunState.Paused);
        await cluster.RunAsync("delete", "again", "--yes");

        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("again", run => run.Steps > 0);
        sleeper.Continue();

        Assert.Equal(4, await sleeper.ExitAsync());
        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
        Assert.Equal(["again"], Directory.EnumerateDirectories(cluster.Runs).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_checkpoint_that_the_shared_folder_shows_late_is_waited_for()
    {
        var spec = Specs.Of("late", members: 1, epochs: 1500);
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("late", run => run.Steps > 0);
        await cluster.RunAsync("stop", "late");
        await cluster.WhenAsync("late", run => run.State == RunState.Paused);
        var checkpoints = cluster.Folder("late").Path("members/00/checkpoints");
        Directory.Move(checkpoints, $"{checkpoints}-hidden");

        await using var resumed = cluster.Drive("resume", "late");
        await cluster.WhenAsync("late", run => run.Members[0].State == MemberState.Training);
        Directory.Move($"{checkpoints}-hidden", checkpoints);

        await cluster.EndsAsync(resumed);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
        Assert.DoesNotContain("is passed over", cluster.Said());
    }

    [Fact]
    public async Task A_run_whose_last_checkpoint_is_damaged_goes_on_from_the_one_before_and_says_so()
    {
        var spec = Specs.Of("damaged", members: 1, epochs: 1500);
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        var folder = cluster.Folder("damaged").Path("members/00/checkpoints");
        string[] Checkpoints() => Directory.Exists(folder) ? Directory.GetFiles(folder, "*.safetensors") : [];
        await cluster.UntilAsync("two checkpoints", () => Checkpoints().Length >= 2 ? "" : null);
        await cluster.RunAsync("stop", "damaged");
        await cluster.WhenAsync("damaged", run => run.State == RunState.Paused);
        Assert.Equal(2, Checkpoints().Length);

        var last = Checkpoints().MaxBy(File.GetLastWriteTimeUtc)!;
        var bytes = await File.ReadAllBytesAsync(last, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(last, bytes, TestContext.Current.CancellationToken);

        await cluster.RunAsync("resume", "damaged");
        Undisturbed.IsWhatCameOutOf(cluster, spec);
        Assert.Contains($"a checkpoint of member 0 is passed over: {last}", cluster.Said());
    }
}

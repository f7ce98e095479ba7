namespace DistributedEnsemble.Cluster.Tests.Failures;

/// <summary>A folder of runs that takes no more, on a real disk.</summary>
public sealed class StoreTests
{
    private const string Little = "size=1m", Room = "size=50m";

    [Fact]
    public async Task A_silo_whose_folder_is_not_the_shared_one_ends_with_one_line()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        var id = File.ReadAllText(Path.Combine(cluster.Runs, ".shared-folder")).Trim();
        var unmounted = cluster.OwnFile("unmounted");

        await using var silo = new SiloProcess(() => Host.Here.Start(SiloProcess.Program, ["--cluster", cluster.Redis.Url, "--runs", unmounted]));

        Assert.Equal(1, await silo.ExitAsync());
        Assert.Equal(
            $"--runs {unmounted} is not the folder that the silos of this cluster share: its .shared-folder is missing, and theirs says {id}. "
            + $"Mount theirs here. If the runs were moved into this one, write {id} into its .shared-folder.\n",
            silo.Errors);
        Assert.False(Directory.Exists(unmounted));
    }

    [Theory(Timeout = 300_000)]
    [InlineData(Little, "No space left on device", Room)]
    [InlineData(Room, "Read-only file system", "rw")]
    public async Task A_store_that_takes_no_more_pauses_the_run_which_goes_on_when_it_does_again(string size, string reason, string mend)
    {
        await using (var probe = new LocalProcess("unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", Path.GetTempPath()))
        {
            if (await probe.ExitAsync() != 0) Assert.Skip($"A disk of its own can be mounted by root alone: {probe.Errors}");
        }

        var spec = Specs.Of("full", members: 2, epochs: 300, hidden: 1000);
        await using var cluster = await LocalCluster.StartAsync(silos: 0);
        var silo = await cluster.AddSiloOnDiskAsync(size);
        await using (var driver = cluster.Drive("train", cluster.SpecFile(spec)))
        {
            if (size == Room)
            {
                await cluster.WhenAsync("full", run => run.Steps > 100);
                await RemountAsync("ro");
            }

            Assert.Equal(1, await driver.ExitAsync());
            Assert.Contains("Run \"full\" is paused at step ", driver.Errors);
            Assert.Contains(reason, driver.Errors);
        }

        await RemountAsync(mend);
        await cluster.RunAsync("resume", "full");
        Undisturbed.IsWhatCameOutOf(cluster, spec);

        // A disk on which somebody writes at this moment is busy, and is not made read-only.
        async Task RemountAsync(string options)
        {
            const int MostTries = 200;
            for (var tries = 1; ; tries++)
            {
                await using var mount = new LocalProcess("nsenter", "-t", $"{silo.Id}", "-m", "mount", "-o", $"remount,{options}", cluster.Runs);
                if (await mount.ExitAsync() == 0) return;
                if (tries == MostTries || !mount.Errors.Contains("busy", StringComparison.Ordinal)) Assert.Fail(mount.Errors);
            }
        }
    }
}

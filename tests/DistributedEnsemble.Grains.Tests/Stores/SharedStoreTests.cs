using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Tests.Objects;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class SharedStoreTests
{
    [Fact]
    public async Task A_silo_whose_endpoint_has_another_bucket_of_that_name_is_refused()
    {
        using var scratch = new RunsFolder();
        await using var redis = await LocalRedis.StartAsync();
        await using var right = new StrictObjectServer();
        await using var wrong = new StrictObjectServer();
        using var ours = right.Open("runs", scratch.Path);
        using var others = wrong.Open("runs", scratch.Path);
        using var elsewhere = right.Open("more", scratch.Path);

        await SharedRuns.CheckAsync(redis.Connection, new SharedObjects(ours));
        await SharedRuns.CheckAsync(redis.Connection, new SharedObjects(ours));
        var id = ours.ReadAllText(".shared-store").Trim();

        Assert.Equal(
            $"--store s3://ensemble/runs at {wrong.Url} is not the store that the silos of this cluster share: its .shared-store is missing, and theirs says {id}. "
            + $"Give this silo the endpoint of theirs. If the runs were moved into this one, write {id} into its .shared-store.",
            (await Assert.ThrowsAsync<IOException>(() => SharedRuns.CheckAsync(redis.Connection, new SharedObjects(others)))).Message);
        Assert.Equal(
            "--store s3://ensemble/more is not where the silos of this cluster keep their runs: they have s3://ensemble/runs. Start this one with that.",
            (await Assert.ThrowsAsync<IOException>(() => SharedRuns.CheckAsync(redis.Connection, new SharedObjects(elsewhere)))).Message);
        Assert.Equal(
            "The silos of this cluster keep their runs in s3://ensemble/runs: start this one with --store s3://ensemble/runs.",
            (await Assert.ThrowsAsync<IOException>(() => SharedRuns.CheckAsync(redis.Connection, new SharedFolder(scratch.Path)))).Message);
        Assert.Empty(wrong.Names);
    }

    [Fact]
    public async Task The_first_silo_whose_folder_cannot_be_made_is_told_by_the_name_of_the_setting()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "No other system has a folder in which nobody makes anything.");
        await using var redis = await LocalRedis.StartAsync();

        Assert.Equal(
            "--runs /proc/runs cannot be used. The folder /proc/runs cannot be made: nothing can be made in /proc. Give another, or have it made.",
            (await Assert.ThrowsAsync<RunsFolderException>(() => SharedRuns.CheckAsync(redis.Connection, new SharedFolder("/proc/runs")))).Message);
        using var folder = new RunsFolder();
        await SharedRuns.CheckAsync(redis.Connection, new SharedFolder(folder.Path));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task First_silos_that_start_at_once_agree_on_the_stores_id_whether_it_knows_conditions_or_not(bool ignoresConditions)
    {
        using var scratch = new RunsFolder();
        await using var redis = await LocalRedis.StartAsync();
        await using var server = new StrictObjectServer { IgnoresConditions = ignoresConditions };
        var silos = Enumerable.Range(0, 8).Select(_ => server.Open("runs", scratch.Path)).ToList();
        for (var i = 0; i < 5; i++)
        {
            await Task.WhenAll(silos.Select(silo => Task.Run(() => SharedRuns.CheckAsync(redis.Connection, new SharedObjects(silo)))));

            Assert.Equal($"s3://ensemble/runs {silos[0].ReadAllText(".shared-store").Trim()}", await redis.Connection.GetDatabase().StringGetAsync("ensemble/folder"));
            Assert.Equal(["runs/.shared-store"], server.Names);
            silos[0].Delete(".shared-store");
            await redis.Connection.GetDatabase().ExecuteAsync("FLUSHALL");
        }

        silos.ForEach(silo => silo.Dispose());
    }
}

using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Tests.Objects;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class RedisRunsTests
{
    [Fact]
    public async Task A_name_is_free_again_when_no_place_can_be_made_for_its_run()
    {
        using var scratch = new RunsFolder();
        await using var redis = await LocalRedis.StartAsync();
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", scratch.Path);
        var names = new RedisRuns(redis.Connection, new EnsembleTrainingOptions { RunsFolder = scratch.Path, Store = objects }, NullLogger<RedisRuns>.Instance);
        for (var (moment, failed) = (0, true); failed; moment++)
        {
            var requests = 0;
            server.Fault = _ => Interlocked.Increment(ref requests) > moment ? new ObjectFault(403, "AccessDenied") : null;

            failed = await Record.ExceptionAsync(() => names.ClaimAsync(RunKey.New("run"))) is not null;

            Assert.Equal(failed ? 0 : 1, await names.CountAsync());
        }
    }

    [Fact]
    public async Task A_name_is_given_back_if_its_run_has_no_record_and_whoever_has_it_then_keeps_it()
    {
        using var runs = new RunsFolder();
        await using var redis = await LocalRedis.StartAsync();
        var options = new EnsembleTrainingOptions { RunsFolder = runs.Path };
        var names = new RedisRuns(redis.Connection, options, NullLogger<RedisRuns>.Instance);
        var store = new RedisRunStore(redis.Connection, options, NullLogger<RedisRunStore>.Instance);
        var (late, next) = (RunKey.New("run"), RunKey.New("run"));

        Assert.NotNull(await names.ClaimAsync(late));
        Assert.Null(await names.ClaimAsync(next));
        Assert.True(await names.UnclaimAsync(late));
        Assert.NotNull(await names.ClaimAsync(next));
        // Its first write was only late.
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.WriteAsync(late, RecordVersion.None, null, RecordSamples.New()));
        await store.WriteAsync(next, RecordVersion.None, null, RecordSamples.New());
        Assert.False(await names.UnclaimAsync(next));
        Assert.False(await names.UnclaimAsync(late));

        Assert.Equal(next, await names.FindAsync("run"));
        Assert.Equal([next], await names.UnfinishedAsync());
        Assert.Null(await store.ReadAsync(late));
        Assert.NotNull(await store.ReadAsync(next));
    }
}

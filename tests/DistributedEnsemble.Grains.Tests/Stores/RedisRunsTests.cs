using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Tests.Objects;
using Microsoft.Extensions.Logging.Abstractions;

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
}

using StackExchange.Redis;

namespace DistributedEnsemble.Cluster.Tests.Failures;

/// <summary>What somebody wrote into a cluster's Redis that is no run.</summary>
public sealed class StrangeEntriesTests
{
    [Fact]
    public async Task Entries_that_are_no_runs_are_passed_over_and_told_of_once()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1, lanes: 2);
        await using (var redis = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{cluster.Redis.Port}"))
        {
            var store = redis.GetDatabase();
            await store.SetAddAsync("ensemble/unfinished", ["garbage\u001b[31m", $"../../x@{Guid.NewGuid():N}"]);
            await store.HashSetAsync("ensemble/runs", "broken", "garbage\u001b[31m");
            // The name of a run that has no record.
            await store.HashSetAsync("ensemble/runs", "lost", $"lost@{Guid.NewGuid():N}");
        }

        await cluster.RunAsync("train", cluster.SpecFile(Specs.Of("well", members: 2, epochs: 20)));
        Assert.Contains("well", await cluster.RunAsync("list"));

        var said = cluster.Silos[0].Output + cluster.Silos[0].Errors;
        Assert.Single(said.Split('\n'), line => line.Contains("Redis names garbage [31m among the runs, which is none: it is passed over."));
        Assert.DoesNotContain('\u001b', said);
    }
}

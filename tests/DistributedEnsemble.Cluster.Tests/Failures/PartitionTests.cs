using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests.Failures;

/// <summary>Hosts that the network parts from all others, while they still reach the folder of the runs.</summary>
public sealed class PartitionTests
{
    [Theory(Timeout = 300_000), InlineData(1), InlineData(2)]
    public async Task A_silo_that_is_cut_off_and_comes_back_changes_nothing_and_ends_with_4(int number)
    {
        var spec = Specs.Of("cut-off", members: 2, epochs: 800);
        var network = await HostNetwork.StartAsync("redis", "driver", "silo-1", "silo-2");
        await using var cluster = await LocalCluster.StartAsync(silos: 2, password: "secret", network: network);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("cut-off", run => run.Members.All(member => member is { State: MemberState.Training, Step: > 0 }));

        var island = cluster.Silos[number - 1];
        island.IsMeantToEnd = true;
        await network.CutAsync($"silo-{number}");
        await cluster.WhenAsync("cut-off", run => run.Members.All(member => member.Silo != island.Endpoint));
        await network.HealAsync($"silo-{number}");

        Assert.Equal(4, await island.ExitAsync());
        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }
}

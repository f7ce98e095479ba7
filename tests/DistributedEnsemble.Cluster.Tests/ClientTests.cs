namespace DistributedEnsemble.Cluster.Tests;

/// <summary>The driver with --cluster.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task Silos_of_another_cluster_at_addresses_that_were_this_ones_do_not_answer_for_it()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        await cluster.Silos[0].KillAsync();
        await using var other = await LocalCluster.StartAsync(silos: 0);
        await other.AddSiloAsync(more: cluster.Silos[0].Ports);

        await using var driver = cluster.Drive("list");

        Assert.Equal(3, await driver.ExitAsync());
        Assert.StartsWith($"{cluster.Redis.Address} answers, but no silo of its cluster does.", driver.Errors);
    }
}

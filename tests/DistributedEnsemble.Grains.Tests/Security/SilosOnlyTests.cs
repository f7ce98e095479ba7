using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Security;

/// <summary>What a host's own grain keeps for silos, as the product's grains do.</summary>
public sealed class SilosOnlyTests
{
    [Fact]
    public async Task A_method_of_any_grain_that_is_for_silos_alone_is_refused_to_clients_and_to_nobody_else()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var (ofClients, ofSilos) = (cluster.Client.GetGrain<IOwnKeeper>("one"), cluster.Silo.GetGrain<IOwnKeeper>("one"));
        for (var time = 0; time < 2; time++)
        {
            foreach (var call in (Func<Task>[])[ofClients.KeepAsync, ofClients.GuardAsync])
            {
                var refused = await Assert.ThrowsAsync<RunRejectedException>(call);
                Assert.Matches("^(IOwnKeeper.KeepAsync|IOwnGuard.GuardAsync) is for silos alone.$", refused.Message);
            }
        }

        Assert.Equal(0, await ofClients.CountAsync());
        await ofSilos.KeepAsync();
        await ofSilos.GuardAsync();
        // Its own kind is not a client, wherever the first call came from.
        await ofClients.AskAnotherAsync();
        Assert.Equal(2, await ofClients.CountAsync());
        Assert.Equal(1, await cluster.Client.GetGrain<IOwnKeeper>("another").CountAsync());
    }

    public interface IOwnGuard : IGrainWithStringKey
    {
        [SilosOnly]
        Task GuardAsync();
    }

    /// <summary>Inherits one that is for silos.</summary>
    public interface IOwnKeeper : IOwnGuard
    {
        [SilosOnly]
        Task KeepAsync();

        Task AskAnotherAsync();

        Task<int> CountAsync();
    }

    internal sealed class OwnKeeperGrain : Grain, IOwnKeeper
    {
        private int _calls;

        public Task GuardAsync() => KeepAsync();

        public Task KeepAsync()
        {
            _calls++;
            return Task.CompletedTask;
        }

        public Task AskAnotherAsync() => GrainFactory.GetGrain<IOwnKeeper>("another").KeepAsync();

        public Task<int> CountAsync() => Task.FromResult(_calls);
    }
}

using System.Net;
using DistributedEnsemble.Grains.Coordination;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class SiloDeathsTests
{
    private static readonly SiloAddress s_silo = SiloAddress.New(IPAddress.Loopback, 11111, 1);

    [Fact]
    public void Only_a_silo_that_is_called_dead_is_told_of_and_nobody_hears_of_it_after_the_end()
    {
        var (silos, told) = (new Silos(), 0);
        var deaths = new SiloDeaths(silos, () => told++);

        foreach (var status in new[] { SiloStatus.Joining, SiloStatus.Active, SiloStatus.ShuttingDown }) silos.Tell(status);
        Assert.Equal(0, told);

        silos.Tell(SiloStatus.Dead);
        Assert.Equal(1, told);

        deaths.Dispose();
        silos.Tell(SiloStatus.Dead);
        Assert.Equal(1, told);
    }

    private sealed class Silos : ISiloStatusOracle
    {
        private readonly List<ISiloStatusListener> _listeners = [];

        public SiloStatus CurrentStatus => SiloStatus.Active;

        public string SiloName => "";

        public SiloAddress SiloAddress => s_silo;

        public void Tell(SiloStatus status)
        {
            foreach (var listener in _listeners) listener.SiloStatusChangeNotification(s_silo, status);
        }

        public bool SubscribeToSiloStatusEvents(ISiloStatusListener observer)
        {
            _listeners.Add(observer);
            return true;
        }

        public bool UnSubscribeFromSiloStatusEvents(ISiloStatusListener observer) => _listeners.Remove(observer);

        public SiloStatus GetApproximateSiloStatus(SiloAddress siloAddress) => SiloStatus.Active;

        public Dictionary<SiloAddress, SiloStatus> GetApproximateSiloStatuses(bool onlyActive = false) => [];

        public SiloAddress[] GetActiveSilos() => [];

        public bool TryGetSiloName(SiloAddress siloAddress, out string siloName)
        {
            siloName = "";
            return false;
        }

        public bool IsFunctionalDirectory(SiloAddress siloAddress) => true;

        public bool IsDeadSilo(SiloAddress silo) => false;
    }
}

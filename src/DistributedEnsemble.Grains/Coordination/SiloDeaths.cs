namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Says at once when a silo is called dead: its members need not lie idle until a coordinator looks the next time.</summary>
internal sealed class SiloDeaths : ISiloStatusListener, IDisposable
{
    private readonly ISiloStatusOracle _silos;
    private readonly Action _died;

    /// <param name="died">Called on any thread.</param>
    public SiloDeaths(ISiloStatusOracle silos, Action died)
    {
        (_silos, _died) = (silos, died);
        silos.SubscribeToSiloStatusEvents(this);
    }

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status == SiloStatus.Dead) _died();
    }

    public void Dispose() => _silos.UnSubscribeFromSiloStatusEvents(this);
}

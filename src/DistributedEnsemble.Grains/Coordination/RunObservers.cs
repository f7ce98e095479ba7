using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// Those who watch a run. They are told that it has changed, once until somebody asks how it is: a run that changes a thousand times a
/// second says no more than they ask.
/// </summary>
internal sealed class RunObservers(TimeProvider time, ILogger log)
{
    /// <summary>Of one that does not watch anew: its process may have ended without a word.</summary>
    private static readonly TimeSpan s_kept = TimeSpan.FromMinutes(1);

    private readonly ObserverManager<IRunObserver> _observers = new(s_kept, log) { GetDateTime = () => time.GetUtcNow().UtcDateTime };
    private bool _isTold;

    public void Add(IRunObserver observer) => _observers.Subscribe(observer, observer);

    public void Remove(IRunObserver observer) => _observers.Unsubscribe(observer);

    public void OnAsked() => _isTold = false;

    public void OnChanged()
    {
        if (_isTold || _observers.Count == 0) return;
        _isTold = true;
        _observers.Notify(observer => observer.Changed());
    }
}

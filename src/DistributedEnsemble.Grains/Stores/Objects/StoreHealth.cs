namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// Whether a store does what it is asked, for probes: those neither wait for it, nor change their mind for a failure that is over soon.
/// </summary>
/// <param name="look">Looks at the store, for as long as that takes; what comes of it is why it cannot be used, or null.</param>
internal sealed class StoreHealth(Func<Task<string?>> look, TimeProvider time)
{
    /// <summary>How long a store may do nothing, and how often it is looked at.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task _looking = Task.CompletedTask;
    private long? _looked, _since, _failed;
    private string _why = "the store does not answer.";

    /// <summary>Why the store cannot be used, if no look at it has ended well for a while; else null.</summary>
    public string? Refusal
    {
        get
        {
            lock (_gate)
            {
                var now = time.GetTimestamp();
                if (_looking.IsCompleted && (_looked is not { } looked || time.GetElapsedTime(looked, now) >= Pause))
                {
                    (_looked, _since) = (now, _since ?? now);
                    _looking = Task.Run(LookAsync);
                }

                return HasFailed(now) ? _why : null;
            }
        }
    }

    /// <summary>Ends when no look is under way.</summary>
    internal Task Looking
    {
        get
        {
            lock (_gate) return _looking;
        }
    }

    /// <summary>What nobody has looked at since the last failure counts for nothing: the store may be well.</summary>
    private bool HasFailed(long now) =>
        _since is { } since && ((_failed is { } failed && time.GetElapsedTime(since, failed) >= Patience)
            || (!_looking.IsCompleted && time.GetElapsedTime(_looked!.Value, now) >= Patience));

    private async Task LookAsync()
    {
        var why = await look();
        lock (_gate)
        {
            if (why is null) _since = null;
            else (_why, _failed) = (why, time.GetTimestamp());
        }
    }
}

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>Gives up what nothing has moved of for a while, however long all of it takes: a request, or all tries of one.</summary>
internal sealed class Silence : IDisposable
{
    private readonly TimeSpan _longest;
    private readonly Silence? _outer;
    private readonly CancellationTokenSource _limit;
    private readonly CancellationTokenSource? _either;

    /// <param name="outer">What ends this one, too; null if nothing does.</param>
    public Silence(TimeSpan longest, TimeProvider time, Silence? outer = null)
    {
        (_longest, _outer, _limit) = (longest, outer, new CancellationTokenSource(longest, time));
        if (outer is not null) _either = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token, outer.Token);
    }

    public CancellationToken Token => (_either ?? _limit).Token;

    /// <summary>Bytes have gone either way.</summary>
    public void Moved()
    {
        _limit.CancelAfter(_longest);
        _outer?.Moved();
    }

    public void Dispose()
    {
        _either?.Dispose();
        _limit.Dispose();
    }
}

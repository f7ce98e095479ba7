namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>Gives a request up when nothing has moved for a while, however long all of it takes.</summary>
internal sealed class Silence : IDisposable
{
    private readonly TimeSpan _longest;
    private readonly CancellationTokenSource _limit;

    public Silence(TimeSpan longest, TimeProvider time) => (_longest, _limit) = (longest, new CancellationTokenSource(longest, time));

    public CancellationToken Token => _limit.Token;

    /// <summary>Bytes have gone either way.</summary>
    public void Moved() => _limit.CancelAfter(_longest);

    public void Dispose() => _limit.Dispose();
}

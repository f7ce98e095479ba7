namespace DistributedEnsemble.Grains.Stores;

/// <summary>The store of the records did not do what it was asked: it is away, full or read-only. Whoever has something to store tries again.</summary>
[GenerateSerializer, Alias("ensemble.store-away")]
internal sealed class StoreAwayException : OrleansException
{
    public StoreAwayException(string message) : base(message)
    {
    }

    public StoreAwayException(string message, Exception inner) : base(message, inner)
    {
    }
}

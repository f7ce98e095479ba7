namespace DistributedEnsemble.Grains.Stores;

/// <summary>The store of the records did not do what it was asked: it is away, full or read-only. Whoever has something to store tries again.</summary>
[GenerateSerializer, Alias("ensemble.records-away")]
internal sealed class RecordsAwayException : OrleansException
{
    public RecordsAwayException(string message) : base(message)
    {
    }

    public RecordsAwayException(string message, Exception inner) : base(message, inner)
    {
    }
}

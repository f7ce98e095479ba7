namespace DistributedEnsemble.Files;

/// <summary>
/// Where the files of runs are does not answer now, and may again: what was to be stored is not, as far as is known. The message is
/// one line for people.
/// </summary>
[GenerateSerializer, Alias("ensemble.storage-away")]
internal sealed class StorageAwayException : IOException
{
    public StorageAwayException(string message) : base(message)
    {
    }

    public StorageAwayException(string message, Exception inner) : base(message, inner)
    {
    }
}

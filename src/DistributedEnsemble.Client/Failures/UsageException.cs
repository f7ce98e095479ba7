namespace DistributedEnsemble.Client.Failures;

/// <summary>A request that cannot be met as it stands; the message is one line for people.</summary>
internal sealed class UsageException(string message) : Exception(message);

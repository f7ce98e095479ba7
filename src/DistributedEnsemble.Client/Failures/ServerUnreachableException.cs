namespace DistributedEnsemble.Client.Failures;

/// <summary>Nobody answers at an address; the message is one line for people.</summary>
internal sealed class ServerUnreachableException(string message) : Exception(message);

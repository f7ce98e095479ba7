namespace DistributedEnsemble.Grains.Security;

/// <summary>Certificates that cannot be found or used. The message is one line for people, and names the file.</summary>
public sealed class TlsException(string message, Exception? inner = null) : Exception(message, inner);

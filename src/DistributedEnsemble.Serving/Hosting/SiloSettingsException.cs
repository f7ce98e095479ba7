namespace DistributedEnsemble.Serving.Hosting;

/// <summary>Settings that a silo refuses; the message is one line for people.</summary>
public sealed class SiloSettingsException(string message) : Exception(message);

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>Something happened that must never happen.</summary>
internal sealed class HistoryFailedException(string message) : Exception(message);

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>A run cannot begin or go on, since nothing can be stored. Callers of the grain see it as an error of input and output.</summary>
internal sealed class NotStoredException(string message) : Exception(message);

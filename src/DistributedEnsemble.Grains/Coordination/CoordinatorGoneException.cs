namespace DistributedEnsemble.Grains.Coordination;

/// <summary>This activation says no more; whoever calls again finds another one. Callers of the grain see it as an error of Orleans.</summary>
internal sealed class CoordinatorGoneException(string message) : Exception(message);

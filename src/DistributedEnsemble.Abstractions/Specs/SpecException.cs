namespace DistributedEnsemble.Specs;

/// <summary>A spec that cannot be run as it stands; the message is one line for people: the thing, its value, the rule, the way out.</summary>
public sealed class SpecException(string message) : Exception(message);

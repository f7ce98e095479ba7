namespace DistributedEnsemble.Runs;

/// <summary>A method of a grain that silos alone call: it is refused to clients of the cluster, who ask for runs and answers. A host's own grains may say so, too.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SilosOnlyAttribute : Attribute;

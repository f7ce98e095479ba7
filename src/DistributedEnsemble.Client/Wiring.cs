namespace DistributedEnsemble.Client;

/// <summary>Joins the driver to the parts that do the work.</summary>
internal static class Wiring
{
    public static Backend Backend { get; } = new()
    {
        StartCluster = (_, _) => throw new NotSupportedException("No silo can be embedded."),
        OpenCatalog = _ => throw new NotSupportedException("No store can be read."),
        ListDatasets = _ => throw new NotSupportedException("No dataset is registered."),
        ComposeSpec = (_, _) => throw new NotSupportedException("No spec can be read."),
    };
}

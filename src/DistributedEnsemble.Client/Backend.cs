using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Data;
using DistributedEnsemble.Client.Runs;

namespace DistributedEnsemble.Client;

/// <summary>What the driver needs of the rest of the system.</summary>
internal sealed record Backend
{
    /// <summary>Starts a silo in this process.</summary>
    public required Func<EmbeddedOptions, CancellationToken, Task<ICluster>> StartCluster { get; init; }

    /// <summary>Opens the runs of a folder, and the data that their evaluation reads.</summary>
    public required Func<EmbeddedOptions, IRunCatalog> OpenCatalog { get; init; }

    /// <summary>Looks for every dataset, first in the given folder.</summary>
    public required Func<string?, IReadOnlyList<DatasetEntry>> ListDatasets { get; init; }

    /// <summary>Makes a submission of a spec file's text (null if there is none) and values for its keys, the last one of a key counts.</summary>
    public required Func<string?, IReadOnlyList<(string Path, string Value)>, string> ComposeSpec { get; init; }
}

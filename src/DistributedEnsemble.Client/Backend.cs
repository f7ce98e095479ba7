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

    /// <summary>
    /// Makes a submission of a spec file (null if there is none) and values for its keys, the last one of a key counts.
    /// The third argument is the folder in which data is looked for.
    /// </summary>
    public required Func<SpecFile?, IReadOnlyList<(string Path, string Value)>, string?, string> ComposeSpec { get; init; }
}

/// <summary>A spec as a file has it.</summary>
/// <param name="Path">As the user named it, for errors.</param>
internal sealed record SpecFile(string Path, string Text);

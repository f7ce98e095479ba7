using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Data;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Client;

/// <summary>Joins the driver to the parts that do the work.</summary>
internal static class Wiring
{
    public static Backend Backend { get; } = new()
    {
        StartCluster = EmbeddedCluster.StartAsync,
        OpenCatalog = options => new FileRunCatalog(options),
        ListDatasets = ListDatasets,
        ComposeSpec = (file, settings) => (file is null ? SpecDocument.Empty : SpecDocument.Parse(file)).With(settings).ToJson(),
    };

    public static FailureTable Failures { get; } = new FailureTable()
        .With<SpecException>(ExitCode.Usage)
        .With<DataException>(ExitCode.Usage)
        .With<SafetensorsException>(ExitCode.Failed)
        .With<InvalidDataException>(ExitCode.Failed);

    private static List<DatasetEntry> ListDatasets(string? folder) =>
    [
        .. from source in new DatasetRegistry().Sources
           let location = source.Locate(new DataFolders(folder))
           select new DatasetEntry(source.Name, source.Description, location.Found is not null, location.Looked),
    ];
}

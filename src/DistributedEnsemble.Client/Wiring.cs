using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Data;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Safetensors;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Verification;

namespace DistributedEnsemble.Client;

/// <summary>Joins the driver to the parts that do the work.</summary>
internal static class Wiring
{
    public static Backend Backend { get; } = new()
    {
        StartCluster = (options, cancellation) => options.Cluster is null
            ? EmbeddedCluster.StartAsync(options, cancellation)
            : RemoteCluster.ConnectAsync(options.Cluster, cancellation),
        OpenCatalog = options => options.Cluster is { } address ? new ClusterRunCatalog(address) : new FileRunCatalog(options),
        ListDatasets = ListDatasets,
        ComposeSpec = ComposeSpec,
    };

    public static FailureTable Failures { get; } = new FailureTable()
        .With<SpecException>(ExitCode.Usage)
        .With<DataException>(ExitCode.Usage)
        .With<RedisAddressException>(ExitCode.Usage)
        .With<TlsException>(ExitCode.Usage)
        .With<SiloSettingsException>(ExitCode.Usage)
        .With<ObjectStoreAddressException>(ExitCode.Usage)
        .With<StorageAwayException>(ExitCode.Unreachable)
        .With<RecordsAwayException>(ExitCode.Unreachable)
        .With<RedisUnreachableException>(ExitCode.Unreachable)
        .With<HttpSettingsException>(ExitCode.Usage)
        .With<VerificationException>(ExitCode.Failed)
        .With<SafetensorsException>(ExitCode.Failed)
        .With<InvalidDataException>(ExitCode.Failed);

    private static string ComposeSpec(SpecFile? file, IReadOnlyList<(string Path, string Value)> settings, string? dataFolder)
    {
        var document = Parse(file).With(settings);
        // A run is resumed and evaluated from other folders, too: it remembers its file by the full path.
        var folders = new DataFolders(dataFolder);
        if (new DatasetRegistry().Resolve(document.Dataset).Find(folders) is { } path) document = document.With("data.dataset", path);
        if (document.Data.Test is { } test) document = document.With("data.test", TableSource.Find(test, folders));
        return WithFoundUnlabelled(document, folders).ToJson();
    }

    /// <summary>With the full path of the table of further rows that a student's spec names.</summary>
    internal static SpecDocument WithFoundUnlabelled(SpecDocument document, DataFolders folders) =>
        document.Unlabelled is { } name && UploadedName.Parse(name) is null ? document.With("distillation.unlabelled", TableSource.Find(name, folders)) : document;

    private static SpecDocument Parse(SpecFile? file)
    {
        if (file is null) return SpecDocument.Empty;
        try
        {
            return SpecDocument.Parse(file.Text);
        }
        catch (SpecException exception)
        {
            throw new SpecException($"{file.Path}: {exception.Message}");
        }
    }

    private static List<DatasetEntry> ListDatasets(string? folder) =>
    [
        .. from source in new DatasetRegistry().Sources
           let location = source.Locate(new DataFolders(folder))
           select new DatasetEntry(source.Name, source.Description, location.Found is not null, location.Looked),
    ];
}

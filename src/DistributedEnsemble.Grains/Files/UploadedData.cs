using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>What the name of a dataset means, uploads included.</summary>
public static class UploadedData
{
    /// <summary>A name that no run can have.</summary>
    private const string Folder = ".data";

    internal static string PathOf(string runsFolder, string sha256) => Path.Combine(Path.GetFullPath(runsFolder), Folder, $"{sha256}.csv");

    /// <param name="readsPaths">Whether a name may be the path of a file of this machine: never what a client of a cluster sent.</param>
    /// <exception cref="DataException">The name is unknown, or not to be read here.</exception>
    public static IDatasetSource Resolve(this EnsembleTrainingOptions options, string dataset, bool readsPaths)
    {
        if (UploadedName.Parse(dataset) is { } upload)
        {
            var path = PathOf(options.RunsFolder, upload.Sha256);
            return File.Exists(path) ? new CsvSource(path, upload.Name) : throw new DataException(
                $"{upload.Name} is not in the store any more: it was uploaded as {upload.Sha256}. Train with the file again.");
        }

        if (readsPaths || options.Datasets.TryFind(dataset, out _)) return options.Datasets.Resolve(dataset);
        throw new DataException(
            $"There is no dataset {OneLine.Excerpt(dataset)} on the silos of this cluster, and they read no other files: "
            + $"known are {string.Join(", ", options.Datasets.Sources.Select(source => source.Name))}, and a file of one's own is uploaded first.");
    }
}

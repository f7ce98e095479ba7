using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Grains.Files;

/// <summary>What the name of a dataset means, uploads included.</summary>
internal static class UploadedData
{
    /// <param name="readsPaths">Whether a name may be the path of a file of this machine: never what a client of a cluster sent.</param>
    /// <returns>The source, and what the spec says of the data with the names of this machine's files.</returns>
    /// <exception cref="DataException">A name is unknown, or not to be read here.</exception>
    public static (IDatasetSource Source, DataSpec Data) Resolve(this EnsembleTrainingOptions options, DataSpec data, bool readsPaths)
    {
        var source = UploadedName.Parse(data.Dataset) is { } upload
            ? new TableSource(options.PathOf(upload), upload.Name)
            : readsPaths || options.Datasets.TryFind(data.Dataset, out _) ? options.Datasets.Resolve(data.Dataset) : throw Unknown(options, data.Dataset);
        if (data.Test is not { } test) return (source, data);
        if (UploadedName.Parse(test) is { } uploadedTest) return (source, data with { Test = options.PathOf(uploadedTest) });
        return readsPaths ? (source, data) : throw new DataException(
            $"data.test is {OneLine.Excerpt(test)}: the silos of this cluster read no files of their own, and a file of one's own is uploaded first.");
    }

    /// <summary>The path of the table that <c>distillation.unlabelled</c> names.</summary>
    /// <inheritdoc cref="Resolve" path="/param[@name='readsPaths']"/>
    /// <exception cref="DataException">It is not there, or not to be read here.</exception>
    public static string FindUnlabelled(this EnsembleTrainingOptions options, string name, bool readsPaths)
    {
        if (UploadedName.Parse(name) is { } upload) return options.PathOf(upload);
        return readsPaths ? TableSource.Find(name, new DataFolders(options.DataFolder)) : throw new DataException(
            $"distillation.unlabelled is {OneLine.Excerpt(name)}: the silos of this cluster read no files of their own, and a file of one's own is uploaded first.");
    }

    private static string PathOf(this EnsembleTrainingOptions options, UploadedName upload)
    {
        try
        {
            return Uploads.PathOf(options, upload.Sha256);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{upload.Name} is not in the store any more: it was uploaded as {upload.Sha256}. Train with the file again.", exception);
        }
        catch (InvalidDataException exception)
        {
            throw new DataException(exception.Message, exception);
        }
    }

    private static DataException Unknown(EnsembleTrainingOptions options, string dataset) => new(
        $"There is no dataset {OneLine.Excerpt(dataset)} on the silos of this cluster, and they read no other files: "
        + $"known are {string.Join(", ", options.Datasets.Sources.Select(source => source.Name))}, and a file of one's own is uploaded first.");
}

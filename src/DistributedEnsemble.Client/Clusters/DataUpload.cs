using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>Sends tables of this machine into a cluster's store, where its hash is its name; a part that is there is not sent again.</summary>
internal static class DataUpload
{
    private const int ChunkBytes = 1 << 20;

    /// <returns>The spec, with the files replaced by their names in the store.</returns>
    /// <exception cref="DataException">A file is not there.</exception>
    public static async Task<string> SendAsync(IGrainFactory grains, string spec, string? dataFolder, CancellationToken cancellation)
    {
        var document = SpecDocument.Parse(spec);
        var folders = new DataFolders(dataFolder);
        if (Directory.Exists(document.Dataset))
            throw new DataException($"{document.Dataset} is a folder: only single files are sent to a cluster. Register the images on its silos, or train here, without --cluster.");
        if (!new DatasetRegistry().TryFind(document.Dataset, out _) && DatasetRegistry.IsPath(document.Dataset))
            document = document.With("data.dataset", await SendFileAsync(grains, TableSource.Find(document.Dataset, folders), cancellation));
        if (document.Data.Test is { } test)
            document = document.With("data.test", await SendFileAsync(grains, TableSource.Find(test, folders), cancellation));
        return await SendUnlabelledAsync(grains, document.ToJson(), dataFolder, cancellation);
    }

    /// <summary>Sends only the table of further rows that a spec names, if it is not in the store.</summary>
    /// <inheritdoc cref="SendAsync"/>
    public static async Task<string> SendUnlabelledAsync(IGrainFactory grains, string spec, string? dataFolder, CancellationToken cancellation)
    {
        var document = SpecDocument.Parse(spec);
        if (document.Unlabelled is not { } name || UploadedName.Parse(name) is not null) return spec;
        return document.With("distillation.unlabelled", await SendFileAsync(grains, TableSource.Find(name, new DataFolders(dataFolder)), cancellation)).ToJson();
    }

    private static async Task<string> SendFileAsync(IGrainFactory grains, string path, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(path);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        var upload = grains.GetGrain<IUpload>(sha256);
        file.Position = await upload.BeginAsync(file.Length).WaitAsync(cancellation);
        var buffer = new byte[ChunkBytes];
        while (await file.ReadAtLeastAsync(buffer, ChunkBytes, throwOnEndOfStream: false, cancellation) is > 0 and var read)
        {
            // The silo may still take these bytes: whoever goes on with it later is told where.
            await upload.AppendAsync(file.Position - read, buffer[..read]).WaitAsync(cancellation);
        }

        await upload.CompleteAsync().WaitAsync(cancellation);
        return new UploadedName(sha256, Path.GetFileName(path)).ToString();
    }
}

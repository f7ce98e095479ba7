using System.Security.Cryptography;
using DistributedEnsemble.Grains;
using DistributedEnsemble.Training;
using Orleans;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>Sends a CSV file of this machine into a cluster's store, where its hash is its name; a part that is there is not sent again.</summary>
internal static class DataUpload
{
    private const int ChunkBytes = 1 << 20;

    /// <returns>The spec, with the file replaced by its name in the store.</returns>
    /// <exception cref="DataException">The file is not there.</exception>
    public static async Task<string> SendAsync(IGrainFactory grains, string spec, string? dataFolder, CancellationToken cancellation)
    {
        var document = SpecDocument.Parse(spec);
        if (new DatasetRegistry().TryFind(document.Dataset, out _) || !document.Dataset.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)) return spec;
        var path = new CsvSource(document.Dataset).Find(new DataFolders(dataFolder));
        await using var file = File.OpenRead(path);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        var upload = grains.GetGrain<IUpload>(sha256);
        file.Position = await upload.BeginAsync(file.Length);
        var buffer = new byte[ChunkBytes];
        while (await file.ReadAtLeastAsync(buffer, ChunkBytes, throwOnEndOfStream: false, cancellation) is > 0 and var read)
        {
            await upload.AppendAsync(file.Position - read, buffer[..read]);
        }

        await upload.CompleteAsync();
        return document.With("data.dataset", new UploadedName(sha256, Path.GetFileName(path)).ToString()).ToJson();
    }
}

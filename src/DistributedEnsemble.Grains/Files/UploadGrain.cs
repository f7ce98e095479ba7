using System.Security.Cryptography;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IUpload"/>
internal sealed class UploadGrain(EnsembleTrainingOptions options) : Grain, IUpload
{
    /// <summary>The client's name for it, which becomes a file's: nothing else can be one.</summary>
    private string Sha256 => this.GetPrimaryKeyString() is var name && UploadedName.IsSha256(name)
        ? name
        : throw new RunRejectedException("An upload's name is the sha256 of its bytes.");

    private string Whole => UploadedData.PathOf(options.RunsFolder, Sha256);

    private string Part => $"{Whole}.part";

    public Task<long> BeginAsync(long length)
    {
        var whole = Whole;
        if (length > options.MaxUploadBytes)
            throw new RunRejectedException($"The file has {length:N0} bytes: this cluster takes up to {options.MaxUploadBytes:N0}. Train with a smaller one, or register the dataset on the silos.");
        if (File.Exists(whole)) return Task.FromResult(length);
        Directory.CreateDirectory(Path.GetDirectoryName(whole)!);
        var part = new FileInfo(Part);
        if (part.Exists && part.Length > length) part.Delete();
        return Task.FromResult(File.Exists(Part) ? part.Length : 0);
    }

    public async Task AppendAsync(long offset, byte[] bytes)
    {
        if (File.Exists(Whole)) return;
        await using var file = new FileStream(Part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        // Bytes that another client of the same file sent first are sent again, as those are whose answer was lost.
        if (file.Length < offset) throw new RunRejectedException($"The upload goes on at byte {file.Length}, not {offset}.");
        if (offset + bytes.Length > options.MaxUploadBytes) throw new RunRejectedException($"This cluster takes files of up to {options.MaxUploadBytes:N0} bytes.");
        file.Position = offset;
        await file.WriteAsync(bytes);
    }

    public async Task CompleteAsync()
    {
        if (File.Exists(Whole)) return;
        var sha256 = await Task.Run(() =>
        {
            using var file = new FileStream(Part, FileMode.Open, FileAccess.ReadWrite);
            var hash = Convert.ToHexStringLower(SHA256.HashData(file));
            file.Flush(flushToDisk: true);
            return hash;
        });
        if (sha256 != Sha256)
        {
            File.Delete(Part);
            throw new RunRejectedException("The file changed while it was sent: send it again.");
        }

        File.Move(Part, Whole, overwrite: true);
        FolderFlush.Flush(Path.GetDirectoryName(Whole)!);
    }
}

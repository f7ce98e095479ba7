using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Files;

/// <inheritdoc cref="IUpload"/>
internal sealed class UploadGrain(EnsembleTrainingOptions options, TimeProvider time) : Grain, IUpload
{
    /// <summary>The client's name for it, which becomes a file's: nothing else can be one.</summary>
    private string Sha256 => this.GetPrimaryKeyString() is var name && UploadedName.IsSha256(name)
        ? name
        : throw new RunRejectedException("An upload's name is the sha256 of its bytes.");

    private string Whole => Uploads.Whole(Sha256);

    public Task<long> BeginAsync(long length)
    {
        var whole = Whole;
        return StoreAsync(() => Begin(whole, length));
    }

    public Task AppendAsync(long offset, byte[] bytes)
    {
        var whole = Whole;
        return StoreAsync(() => Append(whole, offset, bytes));
    }

    public Task CompleteAsync()
    {
        var whole = Whole;
        return StoreAsync(() => Complete(whole));
    }

    private Task<int> StoreAsync(Action work) => StoreAsync(() =>
    {
        work();
        return 0;
    });

    /// <exception cref="StorageAwayException">The store does not answer.</exception>
    /// <exception cref="IOException">The disk or the store does not take it: a client knows neither the disk nor the folder.</exception>
    private async Task<T> StoreAsync<T>(Func<T> work)
    {
        try
        {
            return await Task.Run(work);
        }
        catch (Exception exception) when (exception is IOException and not StorageAwayException or UnauthorizedAccessException)
        {
            // A store names itself; what the system says of a disk ends in the path, by a name of the silo's own.
            var isOfStore = exception.Message.StartsWith(ObjectStoreAddress.Scheme, StringComparison.Ordinal);
            var place = isOfStore ? "" : $" in {Uploads.Folder(options.RunsFolder)}";
            throw new IOException($"The silos cannot store the file{place}: {exception.Message.Split(" : '")[0].TrimEnd('.')}. What came stays for a while, and goes on when it is sent again.");
        }
    }

    private long Begin(string whole, long length)
    {
        var limits = options.Limits;
        if (length < 1) throw new RunRejectedException($"The file has {length:N0} bytes: there is nothing to train on.");
        if (length > limits.MaxUploadBytes)
        {
            throw new RunRejectedException(
                $"The file has {length:N0} bytes: this cluster takes up to {limits.MaxUploadBytes:N0}. Train with a smaller one, or register the dataset on the silos.");
        }

        if (options.Storage.Exists(whole))
        {
            // Somebody is about to train with it.
            if (options.Store is null) File.SetLastWriteTimeUtc(options.Storage.PathOf(whole), time.GetUtcNow().UtcDateTime);
            return length;
        }

        NewFolder.Create(Uploads.Folder(options.RunsFolder));
        Uploads.RemoveExpired(options, time.GetUtcNow());
        // Who announced another length was wrong, or is: a hash belongs to one.
        foreach (var (path, other) in Uploads.PartsOf(options.RunsFolder, Sha256)) if (other != length) File.Delete(path);
        var part = Uploads.Part(options.RunsFolder, Sha256, length);
        using (var file = OpenPart(part, creates: true))
        {
            if (file.Length > 0) return file.Length;
        }

        // It counts from now on: two that begin at once see each other.
        var taken = Uploads.Taken(options);
        if (taken > limits.MaxUploadsBytes)
        {
            Uploads.RemoveUnneeded(options, time.GetUtcNow());
            taken = Uploads.Taken(options);
        }

        if (taken <= limits.MaxUploadsBytes) return 0;
        File.Delete(part);
        throw new RunRejectedException(
            $"The file has {length:N0} bytes, and the store takes {limits.MaxUploadsBytes:N0} of all clients' files ({Limits.Name(nameof(limits.MaxUploadsBytes))}), "
            + $"of which {taken - length:N0} are taken by files that a run names or that came a short time ago: delete the runs that nobody needs.");
    }

    private void Append(string whole, long offset, byte[] bytes)
    {
        var (path, length) = FindPart(whole);
        if (path is null) return;
        using var file = OpenPart(path);
        // Bytes that another client of the same file sent first are sent again, as those are whose answer was lost.
        if (offset < 0 || file.Length < offset) throw new RunRejectedException($"The upload goes on at byte {file.Length}, not {offset}.");
        if (offset + bytes.Length > length)
            throw new RunRejectedException($"The upload was announced with {length:N0} bytes, and {offset + bytes.Length:N0} came: begin again.");
        FileOperations.Before("append", path);
        file.Position = offset;
        file.Write(bytes);
    }

    private void Complete(string whole)
    {
        var (path, length) = FindPart(whole);
        if (path is null) return;
        string sha256;
        using (var file = OpenPart(path))
        {
            if (file.Length < length) throw new RunRejectedException($"The upload was announced with {length:N0} bytes, and {file.Length:N0} came: go on with it.");
            sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
            file.Flush(flushToDisk: true);
        }

        if (sha256 != Sha256)
        {
            File.Delete(path);
            throw new RunRejectedException("The file changed while it was sent: send it again.");
        }

        if (options.Store is null)
        {
            var place = options.Storage.PathOf(whole);
            File.Move(path, place, overwrite: true);
            FolderFlush.Flush(Path.GetDirectoryName(place)!);
            return;
        }

        options.Storage.Write<object?>(whole, stream =>
        {
            using var file = OpenPart(path);
            file.CopyTo(stream);
            return null;
        });
        File.Delete(path);
    }

    /// <returns>No path if the whole file is there already.</returns>
    /// <exception cref="RunRejectedException">It was never begun, or has expired.</exception>
    private (string? Path, long Length) FindPart(string whole)
    {
        (string? Path, long Length) part = Uploads.PartsOf(options.RunsFolder, Sha256).FirstOrDefault();
        // In a store of objects the whole file comes last.
        if ((options.Store is null || part.Path is null) && options.Storage.Exists(whole)) return default;
        return part.Path is not null ? part : throw new RunRejectedException("The upload has not begun here, or rested for too long: begin again.");
    }

    /// <exception cref="RunRejectedException">Something else stands in its place.</exception>
    private FileStream OpenPart(string path, bool creates = false)
    {
        try
        {
            return RegularFile.OpenWrite(Path.GetFullPath(options.RunsFolder), path, creates);
        }
        catch (InvalidDataException exception)
        {
            throw new RunRejectedException(exception.Message);
        }
    }
}

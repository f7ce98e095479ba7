namespace DistributedEnsemble.Training;

/// <summary>
/// Files that are whole or absent, whatever crashes: written aside, flushed to the disk, renamed, and the folder flushed.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes or replaces <paramref name="path"/>; missing folders are created. On an error the old file stays.</summary>
    public static void Write(string path, Action<Stream> write) => Write<object?>(path, stream =>
    {
        write(stream);
        return null;
    });

    /// <inheritdoc cref="Write(string, Action{Stream})"/>
    /// <returns>What <paramref name="write"/> returns.</returns>
    public static T Write<T>(string path, Func<Stream, T> write)
    {
        path = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(path) ?? throw new ArgumentException($"{path} is a folder.", nameof(path));
        CreateDurably(folder);

        var aside = $"{path}.tmp-{Guid.NewGuid():N}";
        try
        {
            T result;
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                result = write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
            FolderFlush.Flush(folder);
            return result;
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }

    /// <summary>A new folder's name is durable only when its parent has been flushed.</summary>
    private static void CreateDurably(string folder)
    {
        if (Directory.Exists(folder)) return;
        var parent = Path.GetDirectoryName(folder);
        if (parent is not null) CreateDurably(parent);
        Directory.CreateDirectory(folder);
        if (parent is not null) FolderFlush.Flush(parent);
    }
}

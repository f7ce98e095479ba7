namespace DistributedEnsemble.Training.Files;

/// <summary>
/// Files that are whole or absent, whatever crashes: written aside, flushed to the disk, renamed, and the folder flushed.
/// </summary>
internal static class AtomicFile
{
    private const string Aside = ".tmp-";

    /// <summary>Whether a file is what a process left that ended while it wrote.</summary>
    public static bool IsUnfinished(string path) => Path.GetFileName(path).Contains(Aside, StringComparison.Ordinal);

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

        var aside = $"{path}{Aside}{Guid.NewGuid():N}";
        using var unfinished = Unfinished.Add(aside);
        try
        {
            T result;
            FileOperations.Before("create", path);
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                result = write(stream);
                FileOperations.Before("flush", path);
                stream.Flush(flushToDisk: true);
            }

            FileOperations.Before("rename", path);
            File.Move(aside, path, overwrite: true);
            FileOperations.Before("flush folder", folder);
            FolderFlush.Flush(folder);
            return result;
        }
        catch (Exception exception)
        {
            File.Delete(aside);
            if (Unwritable(exception, aside, path) is { } told) throw told;
            throw;
        }
    }

    /// <summary>The same failure without the name of a file that nobody has heard of; null if it does not have it.</summary>
    /// <param name="aside">What was written in the place of <paramref name="path"/>.</param>
    public static IOException? Unwritable(Exception exception, string aside, string path)
    {
        if (exception is not (IOException or UnauthorizedAccessException) || !exception.Message.Contains(aside, StringComparison.Ordinal)) return null;
        return new IOException(exception switch
        {
            UnauthorizedAccessException => $"{path} cannot be written: access to its folder is denied.",
            FileNotFoundException or DirectoryNotFoundException => $"{path} cannot be written: nothing can be made in its folder.",
            _ when exception.Message.IndexOf($" : '{aside}", StringComparison.Ordinal) is var end and > 0 => $"{path} cannot be written: {exception.Message[..end]}.",
            _ => exception.Message.Replace(aside, path, StringComparison.Ordinal),
        }, exception);
    }

    /// <summary>A new folder's name is durable only when its parent has been flushed.</summary>
    private static void CreateDurably(string folder)
    {
        if (Directory.Exists(folder)) return;
        var parent = Path.GetDirectoryName(folder);
        if (parent is not null) CreateDurably(parent);
        NewFolder.Create(folder);
        if (parent is not null) FolderFlush.Flush(parent);
    }
}

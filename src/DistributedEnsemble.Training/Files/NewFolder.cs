namespace DistributedEnsemble.Training.Files;

/// <summary>Folders that are made where they are missing.</summary>
internal static class NewFolder
{
    /// <summary>Whether a folder is there or can be made; none is left.</summary>
    /// <inheritdoc cref="Create"/>
    public static void Try(string folder)
    {
        var missing = new List<string>();
        for (var above = Path.GetFullPath(folder); above is not null && !Directory.Exists(above); above = Path.GetDirectoryName(above)) missing.Add(above);
        if (missing.Count == 0) return;
        Create(folder);
        try
        {
            foreach (var made in missing) Directory.Delete(made);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Somebody has begun to use it.
        }
    }

    /// <returns>Its full path.</returns>
    /// <exception cref="IOException">It cannot be made; the message is one line that says which and why.</exception>
    public static string Create(string folder)
    {
        folder = Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var above = folder;
            while (Path.GetDirectoryName(above) is { } parent && !Directory.Exists(above)) above = parent;
            throw new IOException(exception switch
            {
                UnauthorizedAccessException => $"The folder {folder} cannot be made: access to {above} is denied.",
                PathTooLongException => $"The folder {folder} cannot be made: its name is too long.",
                FileNotFoundException or DirectoryNotFoundException => $"The folder {folder} cannot be made: nothing can be made in {above}.",
                _ => $"The folder {folder} cannot be made: {exception.Message.Split(" : '")[0].TrimEnd('.')}.",
            }, exception) { HResult = exception.HResult };
        }
    }
}

namespace DistributedEnsemble.Training;

/// <summary>
/// Where each change of the protocol's files passes: a test lets operation number k fail, as a full disk does, or that one and
/// all that follow, as a process does that has ended.
/// </summary>
internal static class FileOperations
{
    /// <summary>Told of an operation and its file before it happens; null costs nothing.</summary>
    public static volatile Action<string, string>? Observer;

    public static void Before(string operation, string path) => Observer?.Invoke(operation, path);

    public static void Delete(string path)
    {
        Before("delete", path);
        File.Delete(path);
    }
}

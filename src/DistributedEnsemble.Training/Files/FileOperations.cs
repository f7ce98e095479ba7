using System.Collections.Immutable;

namespace DistributedEnsemble.Training.Files;

/// <summary>
/// Where each change of the protocol's files passes: a test lets operation number k fail, as a full disk does, or that one and
/// all that follow, as a process does that has ended. Those who ask hear of what is read, too.
/// </summary>
internal static class FileOperations
{
    private static ImmutableArray<Watch> s_watches = [];

    /// <summary>
    /// Until it is disposed, <paramref name="observer"/> is told of each operation on <paramref name="folder"/> and what lies
    /// below it, and of no other store's, before it happens; what it throws is what the operation fails with.
    /// </summary>
    /// <param name="reads">Whether it is also told of files that are opened to be read or locked, and of folders and files that are looked for.</param>
    public static IDisposable Observe(string folder, Action<string, string> observer, bool reads = false)
    {
        var watch = new Watch(Path.GetFullPath(folder), observer, reads);
        ImmutableInterlocked.Update(ref s_watches, watches => watches.Add(watch));
        return watch;
    }

    /// <summary>Tells those who observe the path.</summary>
    public static void Before(string operation, string path)
    {
        foreach (var watch in s_watches) watch.Tell(operation, path);
    }

    /// <inheritdoc cref="Before"/>
    public static void BeforeReading(string operation, string path)
    {
        foreach (var watch in s_watches) if (watch.HearsReads) watch.Tell(operation, path);
    }

    public static void Delete(string path)
    {
        Before("delete", path);
        File.Delete(path);
    }

    private sealed class Watch(string folder, Action<string, string> observer, bool reads) : IDisposable
    {
        private readonly string _below = folder + Path.DirectorySeparatorChar;

        public bool HearsReads => reads;

        public void Tell(string operation, string path)
        {
            if (path == folder || path.StartsWith(_below, StringComparison.Ordinal)) observer(operation, path);
        }

        public void Dispose() => ImmutableInterlocked.Update(ref s_watches, watches => watches.Remove(this));
    }
}

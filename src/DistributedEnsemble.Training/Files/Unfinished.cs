using System.Collections.Concurrent;

namespace DistributedEnsemble.Training.Files;

/// <summary>
/// What a piece of work has written aside and not yet put in its place. Whoever leaves the work where it is, because it hangs, removes
/// that: nobody else knows of it.
/// </summary>
internal sealed class Unfinished
{
    private static readonly AsyncLocal<Unfinished?> s_own = new();

    private readonly ConcurrentDictionary<string, bool> _paths = new();

    /// <summary>Of all that the caller starts from here on.</summary>
    public static Unfinished Follow() => s_own.Value = new Unfinished();

    /// <param name="path">A file, or a folder with all that is in it.</param>
    /// <returns>Is disposed when it is in its place, or removed.</returns>
    public static IDisposable Add(string path) => new Entry(s_own.Value, path);

    /// <summary>Removes it, as far as the disk lets it in that time.</summary>
    public void Remove(TimeSpan patience) => Task.Run(() =>
    {
        foreach (var path in _paths.Keys)
        {
            try
            {
                if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
                else File.Delete(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The work is at it, too.
            }
        }
    }).Wait(patience);

    private sealed class Entry : IDisposable
    {
        private readonly Unfinished? _all;
        private readonly string _path;

        public Entry(Unfinished? all, string path)
        {
            (_all, _path) = (all, path);
            _all?._paths.TryAdd(path, true);
        }

        public void Dispose() => _all?._paths.TryRemove(_path, out _);
    }
}

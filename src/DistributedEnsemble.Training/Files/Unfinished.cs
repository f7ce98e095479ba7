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

    private volatile bool _isGivenUp;

    /// <summary>Of all that the caller starts from here on.</summary>
    public static Unfinished Follow() => s_own.Value = new Unfinished();

    /// <param name="path">A file, or a folder with all that is in it.</param>
    /// <returns>Is disposed when it is in its place, or removed.</returns>
    /// <exception cref="OperationCanceledException">The work was given up: nobody would remove what it wrote.</exception>
    public static IDisposable Add(string path) => new Entry(s_own.Value, path);

    /// <summary>Removes it, as far as the disk lets it in that time; the work begins nothing new.</summary>
    public void Remove(TimeSpan patience)
    {
        _isGivenUp = true;
        Task.Run(async () =>
        {
            Remove();
            // What the work was about to make when its turn came is there a moment later.
            await Task.Delay(patience / 4);
            if (!_paths.IsEmpty) Remove();
        }).Wait(patience);
    }

    private void Remove()
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
    }

    private sealed class Entry : IDisposable
    {
        private readonly Unfinished? _all;
        private readonly string _path;

        public Entry(Unfinished? all, string path)
        {
            (_all, _path) = (all, path);
            if (_all is null) return;
            _all._paths.TryAdd(path, true);
            if (!_all._isGivenUp) return;
            Dispose();
            throw new OperationCanceledException($"{path} is not begun: the work was given up.");
        }

        public void Dispose() => _all?._paths.TryRemove(_path, out _);
    }
}

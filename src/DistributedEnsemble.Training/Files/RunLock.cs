namespace DistributedEnsemble.Training.Files;

/// <summary>
/// The lock file of a run's folder: one process at a time trains or changes the run. Silos of one process share it. It is
/// held by an open file, so that it ends with its process, however that ends.
/// </summary>
internal sealed class RunLock : IDisposable
{
    private static readonly Dictionary<string, (FileStream File, int Holders)> Held = [];
    private readonly string _path;
    private bool _isReleased;

    private RunLock(string path) => _path = path;

    /// <returns>Null if another process holds it.</returns>
    /// <exception cref="IOException">The folder is missing, or cannot be written.</exception>
    public static Task<RunLock?> TryAcquireAsync(RunFolder folder) => TakeAsync(folder, isShared: true);

    /// <returns>Null if a process, this one included, holds it.</returns>
    /// <exception cref="IOException">The folder is missing, or cannot be written.</exception>
    public static Task<RunLock?> TryAcquireAloneAsync(RunFolder folder) => TakeAsync(folder, isShared: false);

    /// <summary>Takes the folder of a run to be, and its lock.</summary>
    /// <returns>Null if the name is taken.</returns>
    public static async Task<RunLock?> CreateAsync(RunFolder folder)
    {
        if (folder.Storage.IsLink(folder.Name)) return null;
        NewFolder.Create(folder.Root);
        var taken = await TryAcquireAloneAsync(folder);
        // A folder without a record is what a process left that ended before its run began.
        if (taken is null || !File.Exists(folder.Record)) return taken;
        taken.Dispose();
        return null;
    }

    /// <summary>Whether a process, this one included, holds it.</summary>
    public static bool IsHeld(RunFolder folder)
    {
        try
        {
            lock (Held) if (Held.ContainsKey(folder.Lock)) return true;
            using var probe = RegularFile.OpenAlone(folder.Runs, folder.Lock, creates: false);
            return false;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose()
    {
        lock (Held)
        {
            if (_isReleased) return;
            _isReleased = true;
            var (file, holders) = Held[_path];
            if (holders > 1)
            {
                Held[_path] = (file, holders - 1);
                return;
            }

            Held.Remove(_path);
            file.Dispose();
        }
    }

    /// <remarks>Who asks whether it is held has it for an instant: it is tried again, while others of this process take and give back theirs.</remarks>
    private static async Task<RunLock?> TakeAsync(RunFolder folder, bool isShared)
    {
        for (var tries = 5; ; await Task.Delay(20))
        {
            try
            {
                return TakeNow(folder, isShared);
            }
            catch (IOException exception) when (exception is not DirectoryNotFoundException && IsHeld(folder))
            {
                if (--tries == 0) return null;
            }
        }
    }

    private static RunLock? TakeNow(RunFolder folder, bool isShared)
    {
        var path = folder.Lock;
        lock (Held)
        {
            if (Held.TryGetValue(path, out var held))
            {
                if (!isShared) return null;
                Held[path] = (held.File, held.Holders + 1);
                return new RunLock(path);
            }

            var file = Open(folder);

            // Between the opening and the locking the run may have been deleted.
            if (!File.Exists(path))
            {
                file.Dispose();
                throw new DirectoryNotFoundException($"Run \"{folder.Name}\" was deleted.");
            }

            Held[path] = (file, 1);
            return new RunLock(path);
        }
    }

    private static FileStream Open(RunFolder folder)
    {
        try
        {
            return RegularFile.OpenAlone(folder.Runs, folder.Lock, creates: true);
        }
        catch (InvalidDataException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}

using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>
/// The lock file of a run's folder: one process at a time trains or changes the run. Silos of one process share it.
/// </summary>
public sealed class RunLock : IDisposable
{
    private static readonly Dictionary<string, (FileStream File, int Holders)> Held = [];
    private readonly string _path;
    private bool _isReleased;

    private RunLock(string path) => _path = path;

    /// <exception cref="IOException">Another process holds it.</exception>
    public static RunLock Acquire(RunFolder folder) => Take(Path.GetFullPath(folder.Lock), FileMode.OpenOrCreate);

    /// <summary>Creates a run's folder with its lock, atomically.</summary>
    /// <returns>Null if the folder is taken.</returns>
    public static RunLock? Create(RunFolder folder)
    {
        Directory.CreateDirectory(folder.Root);
        try
        {
            return Take(Path.GetFullPath(folder.Lock), FileMode.CreateNew);
        }
        catch (IOException) when (File.Exists(folder.Lock))
        {
            return null;
        }
    }

    /// <summary>Whether a process, this one included, holds it.</summary>
    public static bool IsHeld(RunFolder folder)
    {
        try
        {
            lock (Held) if (Held.ContainsKey(Path.GetFullPath(folder.Lock))) return true;
            using var probe = new FileStream(folder.Lock, FileMode.Open, FileAccess.Read, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
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

    private static RunLock Take(string path, FileMode mode)
    {
        lock (Held)
        {
            if (mode == FileMode.OpenOrCreate && Held.TryGetValue(path, out var held)) Held[path] = (held.File, held.Holders + 1);
            else Held[path] = (new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None), 1);
            return new RunLock(path);
        }
    }
}

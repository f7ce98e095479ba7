using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>A folder that the silos share: Redis is told its id.</summary>
internal sealed class SharedFolder(string runsFolder) : ISharedPlace
{
    /// <summary>A name that no run can have.</summary>
    private const string IdFile = ".shared-folder";

    private const long MostIdBytes = 200;

    private readonly string _path = Path.Combine(Path.GetFullPath(runsFolder), IdFile);

    public string? Find() => Read(_path);

    /// <exception cref="RunsFolderException">It cannot be made or written.</exception>
    public string Make()
    {
        MakeFolder();
        var aside = $"{_path}{Guid.NewGuid():N}";
        try
        {
            File.WriteAllText(aside, $"{Guid.NewGuid():N}\n");
            File.Move(aside, _path, overwrite: false);
            FolderFlush.Flush(Path.GetDirectoryName(_path)!);
        }
        catch (IOException) when (File.Exists(_path))
        {
            File.Delete(aside);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new RunsFolderException(runsFolder, exception);
        }

        return Read(_path)!;
    }

    private void MakeFolder()
    {
        try
        {
            NewFolder.Create(runsFolder);
        }
        catch (IOException exception)
        {
            throw new RunsFolderException(runsFolder, exception);
        }
    }

    public IOException Refused(string shared) => SharedObjects.PlaceIn(shared) is { } store
        ? new IOException($"The silos of this cluster keep their runs in {store}: start this one with --store {store}.")
        : new IOException(
            $"--runs {runsFolder} is not the folder that the silos of this cluster share: its {IdFile} {(Find() is { } here ? $"says {OneLine.Excerpt(here)}" : "is missing")}, and theirs says {shared}. "
            + $"Mount theirs here. If the runs were moved into this one, write {shared} into its {IdFile}.");

    /// <returns>Null if there is no such file.</returns>
    /// <exception cref="IOException">Something else stands in its place.</exception>
    internal static string? Read(string path)
    {
        try
        {
            return RegularFile.ReadAllText(Path.GetDirectoryName(path)!, path, MostIdBytes).Trim();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (InvalidDataException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}

using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Files;

/// <summary>
/// The folder of the data files that clients send. A file that is being sent says in its name how long it will be, so that any
/// silo knows what was announced and how much room it takes.
/// </summary>
internal static class Uploads
{
    /// <summary>A name that no run can have.</summary>
    private const string Name = ".data";

    private const string PartSuffix = ".part", WholeSuffix = ".csv";

    public static string Folder(string runsFolder) => Path.Combine(Path.GetFullPath(runsFolder), Name);

    public static string Whole(string runsFolder, string sha256) => Path.Combine(Folder(runsFolder), $"{sha256}{WholeSuffix}");

    public static string Part(string runsFolder, string sha256, long length) => Path.Combine(Folder(runsFolder), $"{sha256}.{length}{PartSuffix}");

    /// <summary>The uploads of that name that are under way, with the lengths that were announced.</summary>
    public static IEnumerable<(string Path, long Length)> PartsOf(string runsFolder, string sha256) =>
        Directory.Exists(Folder(runsFolder))
            ? Directory.EnumerateFiles(Folder(runsFolder), $"{sha256}.*{PartSuffix}").Select(path => (path, LengthOf(path) ?? 0))
            : [];

    /// <summary>Bytes of all files that are there or announced.</summary>
    public static long Taken(string runsFolder) =>
        new DirectoryInfo(Folder(runsFolder)).EnumerateFiles().Sum(file => LengthOf(file.Name) ?? file.Length);

    /// <summary>Removes what was broken off and has rested for too long.</summary>
    public static void RemoveExpired(EnsembleTrainingOptions options, DateTimeOffset now)
    {
        var folder = new DirectoryInfo(Folder(options.RunsFolder));
        if (!folder.Exists) return;
        foreach (var part in folder.EnumerateFiles($"*{PartSuffix}"))
        {
            try
            {
                if (part.LastWriteTimeUtc < now.UtcDateTime - options.Limits.UploadExpiry) part.Delete();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another silo was faster, or the folder is read-only: there is a next time.
            }
        }
    }

    /// <summary>
    /// Removes whole files that no run of the store names, except those that were asked for a short time ago: their run may be about
    /// to come.
    /// </summary>
    public static void RemoveUnneeded(EnsembleTrainingOptions options, DateTimeOffset now)
    {
        var rested = new DirectoryInfo(Folder(options.RunsFolder)).EnumerateFiles($"*{WholeSuffix}")
            .Where(file => file.LastWriteTimeUtc < now.UtcDateTime - options.Limits.UploadExpiry)
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file.Name));
        try
        {
            foreach (var name in Directory.EnumerateDirectories(options.RunsFolder).Select(folder => Path.GetFileName(folder)).Where(RunName.IsValid))
            {
                if (rested.Count == 0) return;
                var spec = SpecOf(new RunFolder(options.RunsFolder, name));
                foreach (var sha256 in rested.Keys.Where(sha256 => spec.Contains(sha256, StringComparison.Ordinal)).ToList()) rested.Remove(sha256);
            }

            foreach (var file in rested.Values) file.Delete();
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // What a run needs that cannot be read is unknown: everything stays.
        }
    }

    /// <returns>Empty for a folder that is no run's.</returns>
    private static string SpecOf(RunFolder folder)
    {
        try
        {
            return RegularFile.ReadAllText(folder.Runs, folder.Spec);
        }
        catch (FileNotFoundException) when (!File.Exists(folder.Record) && !File.Exists(folder.Status))
        {
            return "";
        }
    }

    /// <returns>Null if the name is not that of a part.</returns>
    private static long? LengthOf(string path) =>
        path.EndsWith(PartSuffix, StringComparison.Ordinal) && Path.GetFileName(path).Split('.') is [_, var length, _] && long.TryParse(length, out var bytes) ? bytes : null;
}

using System.Security.Cryptography;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Files;

/// <summary>
/// The data files that clients send, beside the runs. A file that is being sent is in the folder, and says in its name how long it
/// will be, so that any silo of the folder knows what was announced and how much room it takes; a whole one is where the runs are.
/// </summary>
internal static class Uploads
{
    /// <summary>A name that no run can have.</summary>
    private const string Name = ".data";

    private const string PartSuffix = ".part", WholeSuffix = ".csv";

    public static string Folder(string runsFolder) => Path.Combine(Path.GetFullPath(runsFolder), Name);

    /// <summary>A whole file's name in the storage.</summary>
    public static string Whole(string sha256) => $"{Name}/{sha256}{WholeSuffix}";

    /// <summary>A file to read a whole one from: in the folder, or of this silo's own for a while.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Something else stands in its place.</exception>
    public static string PathOf(EnsembleTrainingOptions options, string sha256)
    {
        var path = Path.Combine(Folder(options.RunsFolder), $"{sha256}{WholeSuffix}");
        if (options.Store is null || File.Exists(path))
        {
            RegularFile.OpenRead(Path.GetFullPath(options.RunsFolder), path).Dispose();
            return path;
        }

        using var file = options.Storage.OpenRead(Whole(sha256));
        RemoveCopies(options);
        if (Convert.ToHexStringLower(SHA256.HashData(file)) != sha256)
            throw new InvalidDataException($"{options.Storage.PathOf(Whole(sha256))} is damaged: its bytes have another sha256 than its name. Delete it, and train with the file again.");
        AtomicFile.Write(path, stream =>
        {
            file.Position = 0;
            file.CopyTo(stream);
        });
        return path;
    }

    /// <summary>What a silo fetched is in its memory soon.</summary>
    private static void RemoveCopies(EnsembleTrainingOptions options)
    {
        if (!Directory.Exists(Folder(options.RunsFolder))) return;
        foreach (var file in new DirectoryInfo(Folder(options.RunsFolder)).EnumerateFiles($"*{WholeSuffix}"))
            if (file.LastWriteTimeUtc < DateTime.UtcNow - options.Limits.UploadExpiry) file.Delete();
    }

    public static string Part(string runsFolder, string sha256, long length) => Path.Combine(Folder(runsFolder), $"{sha256}.{length}{PartSuffix}");

    /// <summary>The uploads of that name that are under way, with the lengths that were announced.</summary>
    public static IEnumerable<(string Path, long Length)> PartsOf(string runsFolder, string sha256) =>
        Directory.Exists(Folder(runsFolder))
            ? Directory.EnumerateFiles(Folder(runsFolder), $"{sha256}.*{PartSuffix}").Select(path => (path, LengthOf(path) ?? 0))
            : [];

    /// <summary>Bytes of all files that are there or announced.</summary>
    public static long Taken(EnsembleTrainingOptions options)
    {
        var parts = new DirectoryInfo(Folder(options.RunsFolder)).EnumerateFiles($"*{PartSuffix}").Sum(file => LengthOf(file.Name) ?? 0);
        return parts + options.Storage.List($"{Name}/").Where(file => LengthOf(file.Name) is null).Sum(file => file.Bytes);
    }

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
        var rested = options.Storage.List($"{Name}/").Where(file => file.Name.EndsWith(WholeSuffix, StringComparison.Ordinal) && file.Written < now - options.Limits.UploadExpiry)
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file.Name), file => file.Name);
        try
        {
            foreach (var name in options.RunNames())
            {
                if (rested.Count == 0) return;
                var spec = SpecOf(options.FolderOf(name));
                foreach (var sha256 in rested.Keys.Where(sha256 => spec.Contains(sha256, StringComparison.Ordinal)).ToList()) rested.Remove(sha256);
            }

            foreach (var file in rested.Values) options.Storage.Delete(file);
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
            return folder.ReadAllText(RunFolder.SpecFile);
        }
        catch (FileNotFoundException) when (!folder.Exists(RunFolder.RecordFile) && !folder.Exists(RunFolder.StatusFile))
        {
            return "";
        }
    }

    /// <returns>Null if the name is not that of a part.</returns>
    private static long? LengthOf(string path) =>
        path.EndsWith(PartSuffix, StringComparison.Ordinal) && Path.GetFileName(path).Split('.') is [_, var length, _] && long.TryParse(length, out var bytes) ? bytes : null;
}

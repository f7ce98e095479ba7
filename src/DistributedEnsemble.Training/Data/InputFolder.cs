using System.Collections.Frozen;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Data;

/// <summary>Where the inputs of tables lie that are too many to be kept in memory.</summary>
/// <param name="Path">A folder, which is made if it is missing.</param>
/// <param name="MostInMemory">Bytes of inputs that stay in memory.</param>
/// <param name="Tell">Is told of a large table, with its size, whose inputs do not lie in a file, and why.</param>
internal sealed record InputFolder(string Path, long MostInMemory, Action<string, string>? Tell = null)
{
    /// <summary>What is left to what runs write: weights, checkpoints and metrics.</summary>
    private const long LeftToRuns = 256L << 20;

    /// <summary>File systems on disks of this machine that the platform does not know, or takes for those of other machines.</summary>
    private static readonly FrozenSet<string> s_disks = ["bcachefs", "ecryptfs", "fuse.fuse-overlayfs", "fuseblk", "nilfs2", "ntfs3"];

    /// <summary>Files for the inputs of large tables.</summary>
    /// <param name="name">The table's.</param>
    /// <param name="rows">Of each file.</param>
    /// <param name="available">Bytes of memory that are free.</param>
    /// <returns>Null where they belong into memory.</returns>
    /// <exception cref="DataException">They fit nowhere.</exception>
    public InputFile[]? TryOpen(string name, int width, ReadOnlySpan<long> rows, long available)
    {
        var all = 0L;
        foreach (var count in rows) all += count;
        var bytes = TrainingMemory.BytesOfInputs(all, width);
        if (bytes <= MostInMemory) return null;
        var fits = TrainingMemory.BytesOfData(all, width) <= available;
        var files = new List<InputFile>();
        string reason;
        try
        {
            var folder = Files.NewFolder.Create(Path);
            if (Refusal(folder, bytes, fits) is not { } refusal)
            {
                foreach (var count in rows) files.Add(new InputFile(folder, checked(count * width)));
                return [.. files];
            }

            reason = refusal;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            foreach (var file in files) file.Dispose();
            reason = $"no file of that size can be made in {Path} ({exception.Message.TrimEnd('.')})";
        }

        // The folder and what is free there are for the log: clients of a cluster read the error.
        Tell?.Invoke($"{name} ({TrainingMemory.InWords(bytes)})", reason);
        if (!fits) TrainingMemory.CheckData(all, width, available, "the log says why");
        return null;
    }

    /// <summary>Whether a file system is known to be on a disk of this machine. What is not known, as most of FUSE, may be anywhere.</summary>
    /// <param name="type">What the platform takes it for.</param>
    internal static bool IsDisk(DriveType type, string format) => type is DriveType.Fixed or DriveType.Removable || s_disks.Contains(format);

    /// <summary>Why inputs cannot lie in a folder, or should not as long as they fit into memory; null if they can.</summary>
    private static string? Refusal(string folder, long bytes, bool fits)
    {
        var drive = new DriveInfo(folder);
        if (drive.DriveType == DriveType.Ram) return $"{folder} is memory itself ({drive.DriveFormat})";
        if (fits && !IsDisk(drive.DriveType, drive.DriveFormat)) return $"{folder} may be on another machine ({drive.DriveFormat})";
        var free = drive.AvailableFreeSpace;
        return free - LeftToRuns >= bytes ? null : $"{folder} has {TrainingMemory.InWords(free)} free";
    }
}

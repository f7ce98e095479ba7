using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DistributedEnsemble.Training.Files;

/// <summary>
/// Reads and writes files of a folder that others may write to: regular files only, no link is followed on the way to them, and none is
/// read that is larger than it can be. A link would hand out files of the machine, and opening a pipe would wait for ever.
/// </summary>
internal static partial class RegularFile
{
    /// <summary>What a file of JSON may have: a record names each file of a run, and data.json each column.</summary>
    public const long MostJsonBytes = 256L << 20;

    /// <summary>Rights of a file that is made, which the process's mask narrows: 0666.</summary>
    private const uint NewFile = 0x1b6;

    /// <summary>Opens a file below a folder.</summary>
    /// <param name="folder">Itself trusted: it may be reached through links.</param>
    /// <param name="path">The full path of a file below it.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">A folder on the way to it is missing.</exception>
    /// <exception cref="InvalidDataException">It is a link, a pipe, a device or a folder, or lies behind a link.</exception>
    public static FileStream OpenRead(string folder, string path) => Open(folder, path, Access.Read);

    /// <summary>Opens a file below a folder to change it; the caller sets its position.</summary>
    /// <param name="creates">Whether it is made if it is missing; its folder is not.</param>
    /// <inheritdoc cref="OpenRead"/>
    public static FileStream OpenWrite(string folder, string path, bool creates) => Open(folder, path, creates ? Access.Create : Access.Write);

    /// <summary>Opens a file below a folder for this opener alone: it is locked for as long as it is open.</summary>
    /// <param name="creates">Whether it is made, and may be written to; else it is there, and read.</param>
    /// <inheritdoc cref="OpenRead"/>
    /// <exception cref="IOException">Somebody else has it open so.</exception>
    public static FileStream OpenAlone(string folder, string path, bool creates)
    {
        var file = Open(folder, path, creates ? Access.Create : Access.Read, FileShare.None);
        if (!OperatingSystem.IsLinux()) return file;
        const int Exclusive = 2, AtOnce = 4, WouldBlock = 11;
        // As .NET's own locks, which this one excludes: a file system that knows none is used without.
        if (Lock(file.SafeFileHandle, Exclusive | AtOnce) == 0 || Marshal.GetLastPInvokeError() != WouldBlock) return file;
        file.Dispose();
        throw new IOException($"The process cannot access the file '{path}' because it is being used by another process.");
    }

    private static FileStream Open(string folder, string path, Access access, FileShare share = FileShare.ReadWrite | FileShare.Delete)
    {
        FileOperations.BeforeReading("open", path);
        var relative = Path.GetRelativePath(folder, path);
        if (Path.IsPathRooted(relative) || relative == ".." || relative.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            throw new ArgumentException($"{path} does not lie below {folder}.", nameof(path));
        var stream = OperatingSystem.IsLinux()
            ? new FileStream(OpenOnLinux(folder, relative.Split(Path.DirectorySeparatorChar), path, access), access == Access.Read ? FileAccess.Read : FileAccess.ReadWrite, bufferSize: 1)
            : OpenElsewhere(folder, relative.Split(Path.DirectorySeparatorChar), path, access, share);
        if (stream.CanSeek) return stream;
        stream.Dispose();
        throw Irregular(path, "a pipe or a device");
    }

    /// <summary>Makes sure that what is made at a path lies in the folder: for files that are written aside, and folders.</summary>
    /// <exception cref="InvalidDataException">A folder on the way is a link.</exception>
    public static void RefuseLinks(string folder, string path)
    {
        for (var at = Path.GetDirectoryName(path); at is not null && at.Length > folder.Length; at = Path.GetDirectoryName(at))
            if (Path.Exists(at) && File.GetAttributes(at).HasFlag(FileAttributes.ReparsePoint)) throw Irregular(path, "a link, or reached through one");
    }

    /// <inheritdoc cref="OpenRead"/>
    /// <param name="most">The bytes that it may have.</param>
    public static byte[] ReadAllBytes(string folder, string path, long most = MostJsonBytes)
    {
        using var file = OpenRead(folder, path);
        if (file.Length > most) throw RunStorage.TooLong(path, file.Length, most);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <inheritdoc cref="ReadAllBytes"/>
    public static string ReadAllText(string folder, string path, long most = MostJsonBytes)
    {
        using var text = new StreamReader(new MemoryStream(ReadAllBytes(folder, path, most)));
        return text.ReadToEnd();
    }

    private static InvalidDataException Irregular(string path, string what) =>
        new($"{path} is {what}: only regular files are read there.");

    private static FileStream OpenElsewhere(string folder, string[] parts, string path, Access access, FileShare share)
    {
        var at = folder;
        foreach (var part in parts)
        {
            at = Path.Combine(at, part);
            if (Path.Exists(at) && (File.GetAttributes(at) & (FileAttributes.ReparsePoint | FileAttributes.Device)) != 0) throw Irregular(path, "reached through a link");
        }

        return new FileStream(path, access == Access.Create ? FileMode.OpenOrCreate : FileMode.Open, access == Access.Read ? FileAccess.Read : FileAccess.ReadWrite, share, bufferSize: 1);
    }

    /// <summary>From folder to folder, each opened in the one before: what is renamed meanwhile cannot lead elsewhere.</summary>
    private static SafeFileHandle OpenOnLinux(string folder, string[] parts, string path, Access access)
    {
        const int CurrentFolder = -100, ReadWrite = 2, Create = 0x40, NonBlocking = 0x800, CloseOnExec = 0x80000, PathOnly = 0x200000;
        // The only two that differ between processors.
        var (folderOnly, noLinks) = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? (0x4000, 0x8000) : (0x10000, 0x20000);
        var at = Open(CurrentFolder, folder, PathOnly | folderOnly | CloseOnExec);
        if (at < 0) throw Failed(folder, path);
        try
        {
            foreach (var part in parts[..^1])
            {
                var next = Open(at, part, PathOnly | folderOnly | noLinks | CloseOnExec);
                if (next < 0) throw Failed(part, path);
                _ = Close(at);
                at = next;
            }

            // Opening a pipe without this flag waits for somebody who writes.
            var how = access switch
            {
                Access.Read => 0,
                Access.Write => ReadWrite,
                Access.Create => ReadWrite | Create,
            };
            var file = Open(at, parts[^1], how | NonBlocking | noLinks | CloseOnExec, NewFile);
            return file >= 0 ? new SafeFileHandle(file, ownsHandle: true) : throw Failed(parts[^1], path);
        }
        finally
        {
            _ = Close(at);
        }
    }

    private enum Access
    {
        Read,
        Write,
        Create,
    }

    private static Exception Failed(string part, string path)
    {
        const int NoEntry = 2, NoDevice = 6, NoAccess = 13, NoFolder = 20, IsFolder = 21, Link = 40;
        return Marshal.GetLastPInvokeError() switch
        {
            NoEntry when path.EndsWith(part, StringComparison.Ordinal) => new FileNotFoundException($"Could not find file '{path}'.", path),
            NoEntry => new DirectoryNotFoundException($"Could not find a part of the path '{path}'."),
            NoAccess => new UnauthorizedAccessException($"Access to the path '{path}' is denied."),
            NoFolder or Link => Irregular(path, "a link, or reached through one"),
            IsFolder => Irregular(path, "a folder"),
            NoDevice => Irregular(path, "a pipe or a device"),
            _ => new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}."),
        };
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(int folder, string path, int flags, uint mode = 0);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}

using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training.Files;

/// <summary>Makes renames in a folder durable. .NET cannot open a folder, so this asks the C library; a no-op off Linux.</summary>
internal static partial class FolderFlush
{
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const int InvalidArgument = 22;

    public static void Flush(string folder)
    {
        if (!OperatingSystem.IsLinux()) return;

        var descriptor = Open(folder, ReadOnlyCloseOnExec);
        if (descriptor < 0) throw Failed(folder);
        try
        {
            // Some file systems of other machines cannot flush a folder, and say so with EINVAL: there is nothing to wait for.
            if (Synchronize(descriptor) < 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failed(folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string folder) => new($"{folder} could not be flushed to the disk: {Marshal.GetLastPInvokeErrorMessage()}.");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}

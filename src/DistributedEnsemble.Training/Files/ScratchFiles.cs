namespace DistributedEnsemble.Training.Files;

/// <summary>Files for what nobody else sees: without a name from the beginning, so that none is left of a process that ends.</summary>
internal sealed class ScratchFiles(string folder)
{
    /// <exception cref="IOException">None can be made there.</exception>
    public FileStream Create()
    {
        NewFolder.Create(folder);
        // Of a process that ends right here an empty file is left, whose name no run can have.
        var path = Path.Combine(folder, $".{Guid.NewGuid():N}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 1 << 16, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows()) File.Delete(path);
        return file;
    }
}

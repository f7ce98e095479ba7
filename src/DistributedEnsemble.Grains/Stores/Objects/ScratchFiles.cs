using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>Files for what is on its way: without a name from the beginning, so that none is left of a process that ends.</summary>
internal sealed class ScratchFiles(string folder)
{
    public FileStream Create()
    {
        NewFolder.Create(folder);
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 1 << 16, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows()) File.Delete(path);
        return file;
    }
}

using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class FileOperationsTests
{
    [Fact]
    public void An_observer_hears_of_its_own_folder_alone_and_only_while_it_watches()
    {
        using var folders = new TemporaryFolder();
        string one = Path.Combine(folders.Path, "run-1"), other = Path.Combine(folders.Path, "run-12");
        var heard = new List<string>();
        using (FileOperations.Observe(one, (operation, path) => heard.Add($"{operation} {Path.GetRelativePath(folders.Path, path)}")))
        {
            using (FileOperations.Observe(other, (_, _) => throw new IOException("No space left on device")))
            {
                AtomicFile.Write(Path.Combine(one, "file"), _ => { });
                Assert.Throws<IOException>(() => AtomicFile.Write(Path.Combine(other, "file"), _ => { }));
            }

            AtomicFile.Write(Path.Combine(other, "file"), _ => { });
        }

        AtomicFile.Write(Path.Combine(one, "file"), _ => { });
        Assert.Equal(["create run-1/file", "flush run-1/file", "rename run-1/file", "flush folder run-1"], heard);
    }
}

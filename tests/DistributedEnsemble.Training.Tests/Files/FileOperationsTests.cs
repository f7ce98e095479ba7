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

    [Fact]
    public void Only_an_observer_who_asks_for_it_hears_of_what_is_read_or_looked_for()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "text");
        var (storage, changes, all) = (new FolderStorage(folder.Path), new List<string>(), new List<string>());
        using var writes = FileOperations.Observe(folder.Path, (operation, _) => changes.Add(operation));
        using var reads = FileOperations.Observe(folder.Path, (operation, _) => all.Add(operation), reads: true);

        storage.OpenRead("file").Dispose();
        storage.Find("file");
        storage.Folders();
        Assert.Single(storage.List(""));
        storage.Delete("file");

        Assert.Equal(["open", "find", "list", "list", "delete"], all);
        Assert.Equal(["delete"], changes);
    }
}

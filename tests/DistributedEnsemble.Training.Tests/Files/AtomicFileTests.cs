using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_file_is_written_with_its_missing_folders_and_nothing_is_left_aside()
    {
        var path = _folder.File("members/03/a.txt");

        var returned = AtomicFile.Write(path, stream =>
        {
            stream.Write("one"u8);
            return 3;
        });

        Assert.Equal(3, returned);
        Assert.Equal("one", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_file_is_replaced()
    {
        var path = _folder.File("a.txt");
        AtomicFile.Write(path, stream => stream.Write("a longer text"u8));
        AtomicFile.Write(path, stream => stream.Write("short"u8));

        Assert.Equal("short", File.ReadAllText(path));
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_nothing_else()
    {
        var path = _folder.File("a.txt");
        AtomicFile.Write(path, stream => stream.Write("old"u8));

        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            throw new InvalidOperationException();
        }));

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    public void Dispose() => _folder.Dispose();
}

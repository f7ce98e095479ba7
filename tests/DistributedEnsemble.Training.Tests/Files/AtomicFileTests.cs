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

    [Fact]
    public void Where_nothing_can_be_made_the_error_names_the_file_that_was_meant()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has /proc, where nobody makes files.");

        var failure = Assert.Throws<IOException>(() => AtomicFile.Write("/proc/a.txt", stream => stream.Write("new"u8)));

        Assert.Equal("/proc/a.txt cannot be written: nothing can be made in its folder.", failure.Message);
    }

    [Fact]
    public void An_error_never_names_the_file_that_is_written_aside() => Assert.Equal(
        ["a cannot be written: access to its folder is denied.", "a cannot be written: No space left on device.", "a/b cannot be written: No space left on device.", null],
        new Exception[]
        {
            new UnauthorizedAccessException("Access to the path 'a.tmp-1' is denied."), new IOException("No space left on device : 'a.tmp-1'"),
            new IOException("a.tmp-1/b cannot be written: No space left on device."), new IOException("No space left on device : 'other'"),
        }.Select(failure => AtomicFile.Unwritable(failure, "a.tmp-1", "a")?.Message));

    public void Dispose() => _folder.Dispose();
}

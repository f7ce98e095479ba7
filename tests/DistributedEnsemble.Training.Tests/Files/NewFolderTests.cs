using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class NewFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_made_with_those_above_it()
    {
        Assert.Equal(_folder.File("a/b"), NewFolder.Create(_folder.File("a/b")));
        Assert.True(Directory.Exists(_folder.File("a/b")));
    }

    [Fact]
    public void A_folder_that_is_tried_leaves_nothing_and_one_that_is_there_stays()
    {
        NewFolder.Try(_folder.File("a/b"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
        Directory.CreateDirectory(_folder.File("a"));
        NewFolder.Try(_folder.File("a/b"));
        NewFolder.Try(_folder.File("a"));
        Assert.True(Directory.Exists(_folder.File("a")));
        Assert.False(Directory.Exists(_folder.File("a/b")));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named_with_the_reason()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "No other system has a folder in which nobody makes anything.");

        Assert.Equal("The folder /proc/a/b cannot be made: nothing can be made in /proc.", Assert.Throws<IOException>(() => NewFolder.Create("/proc/a/b")).Message);
        var longName = _folder.File(new string('a', 300));
        Assert.Equal($"The folder {longName} cannot be made: its name is too long.", Assert.Throws<IOException>(() => NewFolder.Create(longName)).Message);
    }
}

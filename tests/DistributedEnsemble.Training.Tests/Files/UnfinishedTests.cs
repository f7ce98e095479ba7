using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class UnfinishedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Work_that_was_given_up_begins_nothing_new()
    {
        var unfinished = Unfinished.Follow();
        AtomicFile.Write(_folder.File("before"), stream => stream.WriteByte(1));
        unfinished.Remove(TimeSpan.FromSeconds(1));

        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(_folder.File("after"), stream => stream.WriteByte(1)));

        Assert.Equal(["before"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path)));
    }
}

using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Tests.Clusters;

public sealed class FirstLookTests
{
    [Fact]
    public async Task A_folder_that_says_nothing_is_told_of_and_not_waited_for()
    {
        using var folders = new TestDriver();
        using var end = new ManualResetEventSlim();
        using var hangs = FileOperations.Observe(folders.RunsFolder, (_, _) => end.Wait(TestContext.Current.CancellationToken), reads: true);
        var options = new EmbeddedOptions(folders.RunsFolder, null, null) { Patience = TimeSpan.FromMilliseconds(100) };

        var error = await Assert.ThrowsAsync<StorageAwayException>(() => options.OpenStorageAsync(StoreUse.Read));
        end.Set();

        Assert.Equal(
            $"{folders.RunsFolder} has said nothing for 0.1 s: is it mounted from a machine that does not answer? (ENSEMBLE__TIMING__STOREANSWER is how long is waited.)", error.Message);
    }

    [Fact]
    public async Task What_is_wrong_with_a_folder_that_answers_says_whoever_reads_it()
    {
        using var folders = new TestDriver();
        using var fails = FileOperations.Observe(folders.RunsFolder, (_, _) => throw new UnauthorizedAccessException("Not yours."), reads: true);

        Assert.Equal(folders.RunsFolder, (await new EmbeddedOptions(folders.RunsFolder, null, null).OpenStorageAsync(StoreUse.Read)).Place);
    }
}

using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Serving.Tests.Live;

/// <summary>A run's status over HTTP.</summary>
public sealed class LiveRunsTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_has_just_stopped_is_not_shown_as_it_was_before()
    {
        var run = await served.BeginEndlessAsync("ends");
        while (RunStatusFile.Read(new RunFolder(served.RunsFolder, "ends")) is not { State: RunState.Running }) await Task.Delay(10, Cancellation);
        // The index read once, and stands still: as far as it knows the run goes on.
        await using var frozen = await FrozenAsync();
        var live = new LiveRuns(served.Grains, frozen, new FakeTimeProvider());
        var before = await live.StatusAsync("ends", Cancellation);

        await served.StopAsync(run);

        var after = await live.StatusAsync("ends", Cancellation);
        Assert.Equal(RunState.Paused, after.State);
        Assert.True(after.Steps >= before.Steps);
        Assert.Equal(RunState.Running, frozen.Find("ends")!.State);
    }

    [Fact]
    public async Task A_run_whose_folder_is_gone_is_not_remembered()
    {
        // The index has never heard of it: nor has it when the run is gone.
        await using var frozen = await FrozenAsync();
        var time = new FakeTimeProvider();
        var live = new LiveRuns(served.Grains, frozen, time);
        var run = await served.BeginEndlessAsync("goes");
        await live.StatusAsync("goes", Cancellation);
        await served.StopAsync(run);
        Assert.Equal(RunState.Paused, (await live.StatusAsync("goes", Cancellation)).State);

        while (!await new FolderStorage(served.RunsFolder).TryRemoveAsync(new RunFolder(served.RunsFolder, "goes"))) await Task.Delay(10, Cancellation);
        time.Advance(TimeSpan.FromSeconds(10));

        var gone = await Assert.ThrowsAsync<HttpError>(() => live.StatusAsync("goes", Cancellation));
        Assert.Equal((404, "There is no run \"goes\" here: GET /api/runs lists those that are."), (gone.Status, gone.Message));
    }

    /// <summary>Of the folder as it is now.</summary>
    private Task<RunIndex> FrozenAsync() => RunIndex.StartAsync(new FolderStorage(served.RunsFolder), new FakeTimeProvider(), Cancellation);
}

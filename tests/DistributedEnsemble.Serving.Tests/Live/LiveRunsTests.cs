using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Tests.Live;

/// <summary>A run's status over HTTP.</summary>
public sealed class LiveRunsTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    [Fact]
    public async Task A_run_that_has_just_stopped_is_not_shown_as_it_was_before()
    {
        // The index read once, and stands still: as far as it knows the run goes on.
        await using var index = await RunIndex.StartAsync(new FolderStorage(served.RunsFolder), new CountedTime(), TestContext.Current.CancellationToken);
        var live = new LiveRuns(served.Grains, index);
        var run = await served.Grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission("""
            { "name": "ends", "seed": 3, "members": 1, "data": { "dataset": "digits" }, "model": { "kind": "mlp", "hidden": [8] },
              "training": { "epochs": 1000000, "batchSize": 8 }, "logging": { "everySteps": 100000 }, "checkpoints": { "everySeconds": 1 } }
            """), TestContext.Current.CancellationToken);
        var coordinator = served.Grains.GetGrain<ICoordinator>(run.ToString());
        while ((await live.StatusAsync("ends", TestContext.Current.CancellationToken)).Steps == 0) await Task.Delay(10, TestContext.Current.CancellationToken);
        await using var frozen = await RunIndex.StartAsync(new FolderStorage(served.RunsFolder), new CountedTime(), TestContext.Current.CancellationToken);
        var later = new LiveRuns(served.Grains, frozen);
        var before = await later.StatusAsync("ends", TestContext.Current.CancellationToken);
        Assert.Equal(RunState.Running, frozen.Find("ends")!.State);

        await coordinator.StopAsync();
        while ((await coordinator.GetStatusAsync()).State != RunState.Paused) await Task.Delay(10, TestContext.Current.CancellationToken);

        var after = await later.StatusAsync("ends", TestContext.Current.CancellationToken);
        Assert.Equal(RunState.Paused, after.State);
        Assert.True(after.Steps >= before.Steps);
        Assert.Equal(RunState.Running, frozen.Find("ends")!.State);
    }
}

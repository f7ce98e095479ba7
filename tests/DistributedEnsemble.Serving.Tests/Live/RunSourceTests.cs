using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Tests.Live;

/// <summary>What a run says by itself.</summary>
public sealed class RunSourceTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    [Fact]
    public async Task A_run_says_that_it_goes_on_is_stopped_and_resumed()
    {
        // The index of the runs' folder stands still: what is said comes from the coordinator.
        var time = new CountedTime();
        await using var index = await RunIndex.StartAsync(new FolderStorage(served.RunsFolder), time, TestContext.Current.CancellationToken);
        var run = await served.BeginEndlessAsync("endless");
        await using var source = new RunSource("endless", new LiveRuns(served.Grains, index, time), index, served.Grains, time);

        await UntilAsync(source, status => status.Steps > 0);
        var before = (await source.AskAsync(TestContext.Current.CancellationToken))!.Steps;
        await UntilAsync(source, status => status.Steps > before);
        await served.Grains.GetGrain<ICoordinator>(run.ToString()).StopAsync();

        await UntilAsync(source, status => status.State == RunState.Paused);
    }

    [Fact]
    public async Task A_page_that_is_opened_when_a_run_has_just_stopped_shows_it_stopped()
    {
        var time = new CountedTime();
        var run = await served.BeginEndlessAsync("just-stopped");
        while (RunStatusFile.Read(new RunFolder(served.RunsFolder, "just-stopped")) is not { State: RunState.Running }) await Task.Delay(10, TestContext.Current.CancellationToken);
        // The index read once, and stands still: as far as it knows the run goes on.
        await using var index = await RunIndex.StartAsync(new FolderStorage(served.RunsFolder), time, TestContext.Current.CancellationToken);
        var live = new LiveRuns(served.Grains, index, time);
        // Somebody looked at another run.
        await live.ActiveAsync("another", TestContext.Current.CancellationToken);
        await served.StopAsync(run);

        await using var source = new RunSource("just-stopped", live, index, served.Grains, time);

        Assert.Equal(RunState.Paused, (await source.AskAsync(TestContext.Current.CancellationToken))!.State);
        Assert.Equal(RunState.Running, index.Find("just-stopped")!.State);
    }

    [Fact]
    public async Task A_run_that_this_silo_does_not_work_on_is_as_its_folder_has_it()
    {
        await using var index = await RunIndex.StartAsync(new FolderStorage(served.RunsFolder), TimeProvider.System, TestContext.Current.CancellationToken);
        await using var source = new RunSource("nowhere", new LiveRuns(served.Grains, index, TimeProvider.System), index, served.Grains, TimeProvider.System);
        Assert.Null(await source.AskAsync(TestContext.Current.CancellationToken));

        var folder = Directory.CreateDirectory(Path.Combine(served.RunsFolder, "nowhere")).FullName;
        var status = new RunStatus
        {
            Run = "nowhere", Id = Guid.NewGuid(), State = RunState.Paused, StepsTotal = 10, Members = [new MemberStatus { Index = 0, State = MemberState.Waiting, StepsTotal = 10 }],
        };
        await File.WriteAllTextAsync(Path.Combine(folder, "new.json"), RunStatusJson.ToJson(status), TestContext.Current.CancellationToken);
        File.Move(Path.Combine(folder, "new.json"), Path.Combine(folder, "run.json"));
        await source.Changed.WaitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(RunState.Paused, (await source.AskAsync(TestContext.Current.CancellationToken))!.State);
        Assert.False(source.Changed.IsCompleted);
    }

    /// <summary>Asks only when it is told to.</summary>
    private static async Task UntilAsync(RunSource source, Func<RunStatus, bool> isWanted)
    {
        while (!isWanted((await source.AskAsync(TestContext.Current.CancellationToken))!)) await source.Changed.WaitAsync(TestContext.Current.CancellationToken);
    }
}

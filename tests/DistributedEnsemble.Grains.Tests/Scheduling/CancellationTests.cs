using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using Orleans.Configuration;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

/// <summary>Long calls that whoever made them gives up.</summary>
public sealed class CancellationTests
{
    [Fact(Timeout = 150_000)]
    public async Task A_submission_that_is_given_up_while_its_data_is_loaded_leaves_no_run()
    {
        using var source = new SlowDigits();
        await using var cluster = await EnsembleCluster.StartAsync(configure: options => options.Datasets.Add(source), configureClient: Hearing);
        var submission = new Submission("""{ "members": 1, "data": { "dataset": "slow-digits" }, "training": { "epochs": 1 } }""");
        using var submitting = new CancellationTokenSource();
        using var measuring = new CancellationTokenSource();
        Task[] calls = [cluster.Scheduler.SubmitAsync(submission, submitting.Token), cluster.Scheduler.MeasureAsync(submission, measuring.Token)];
        await source.IsLoading.WaitAsync(TestContext.Current.CancellationToken);

        await submitting.CancelAsync();
        await measuring.CancelAsync();

        foreach (var call in calls) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        source.GoOn.Set();
        // What came too late is no run, and the next one is.
        Assert.Empty(await cluster.Scheduler.ListAllAsync(null, TestContext.Current.CancellationToken));
        await cluster.TrainAsync(submission.Spec);
        Assert.Equal("slow-digits-1", Assert.Single(await cluster.Scheduler.ListAllAsync(null, TestContext.Current.CancellationToken)).Name);
    }

    [Fact]
    public async Task A_list_that_nobody_waits_for_reads_no_more_files()
    {
        using var runs = new RunsFolder();
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path, configureClient: Hearing);
        foreach (var name in (string[])["a", "b", "c"]) runs.Folder(name).Write(RunFolder.RecordFile, "no record"u8.ToArray());
        using var listing = new CancellationTokenSource();
        var (read, given) = (new ConcurrentBag<string>(), new TaskCompletionSource());
        using var reads = FileOperations.Observe(
            runs.Path, (operation, path) =>
            {
                if (Path.GetFileName(path) != RunFolder.RecordFile) return;
                read.Add(path);
                // Whoever asks leaves while the first is read, and the silo hears of it.
                listing.Cancel();
                given.Task.Wait(TestContext.Current.CancellationToken);
            }, reads: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cluster.Scheduler.ListAllAsync(null, listing.Token));
        await cluster.Scheduler.ListAsync(TestContext.Current.CancellationToken);
        given.SetResult();
        Assert.Empty(await cluster.Scheduler.ListAllAsync(null, TestContext.Current.CancellationToken));

        // The first one twice, and the others for the second list.
        Assert.Equal([2, 1, 1], read.GroupBy(path => path).OrderBy(paths => paths.Key, StringComparer.Ordinal).Select(paths => paths.Count()));
    }

    [Fact(Timeout = 150_000)]
    public async Task A_resume_that_is_given_up_while_its_data_is_loaded_leaves_the_run_paused()
    {
        using var runs = new RunsFolder();
        using var known = new SlowDigits();
        known.GoOn.Set();
        RunKey run;
        await using (var before = await EnsembleCluster.StartAsync(runsFolder: runs.Path, configure: options => options.Datasets.Add(known)))
        {
            run = await before.SubmitAsync("""{ "members": 1, "data": { "dataset": "slow-digits" }, "training": { "epochs": 1000000 } }""");
            await before.Coordinator(run).StopAsync();
            await before.WhenAsync(run, status => status.State == RunState.Paused);
        }

        using var source = new SlowDigits();
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path, configure: options => options.Datasets.Add(source), configureClient: Hearing);
        using var resuming = new CancellationTokenSource();
        var call = cluster.Scheduler.ResumeAsync(run, resuming.Token);
        await source.IsLoading.WaitAsync(TestContext.Current.CancellationToken);

        await resuming.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        source.GoOn.Set();
        Assert.Equal(RunState.Paused, (await cluster.Coordinator(run).GetStatusAsync()).State);
        await cluster.ResumeAsync(run);
        Assert.Equal(RunState.Running, (await cluster.Coordinator(run).GetStatusAsync()).State);
    }

    [Fact]
    public async Task Scores_and_answers_out_of_fold_that_nobody_waits_for_are_not_computed()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Different);
        await cluster.WhenAsync(run, status => status.HasEnded);
        using var given = new CancellationTokenSource();
        await given.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cluster.Aggregator(run).ScoreAsync(given.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cluster.Aggregator(run).PredictOutOfFoldAsync(new OutOfFoldRequest(), given.Token));
        Assert.NotNull(await cluster.Aggregator(run).ScoreAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A call that is given up ends when the grain knows it: until then it may still begin what it was made for.</summary>
    private static void Hearing(IClientBuilder client) =>
        client.Configure<ClientMessagingOptions>(options => options.WaitForCancellationAcknowledgement = true);

    /// <summary>The digits, which wait at first until they may be loaded.</summary>
    private sealed class SlowDigits : IDatasetSource, IDisposable
    {
        private readonly TaskCompletionSource _loading = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim GoOn { get; } = new();

        public Task IsLoading => _loading.Task;

        public string Name => "slow-digits";

        public string Description => "digits that take their time";

        public JsonObject Defaults => new Digits().Defaults;

        public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

        public Dataset Load(DataFolders folders)
        {
            _loading.TrySetResult();
            GoOn.Wait();
            return new Digits().Load(folders);
        }

        public void Dispose() => GoOn.Dispose();
    }
}

using System.Collections.Concurrent;
using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.DependencyInjection;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class LifeTests
{
    private static readonly string Spec = Specs.Small.Replace("\"epochs\": 3", "\"epochs\": 600");

    [Fact]
    public async Task A_run_whose_process_ended_without_a_word_goes_on_in_the_next_one()
    {
        using var runs = new RunsFolder();
        await using (var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path))
        {
            var run = await cluster.SubmitAsync(Spec.Replace("\"logging\"", "\"checkpoints\": { \"everySeconds\": 1 }, \"logging\""));
            await cluster.WhenAsync(run, s => s.Snapshots.Length > 1);
        }

        Assert.Equal(RunState.Running, RunStatusJson.FromJson(File.ReadAllText(runs.Folder("small").Status)).State);
        await using var next = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        var found = await next.Scheduler.FindAsync("small", TestContext.Current.CancellationToken);
        await next.ResumeAsync(found!.Value);
        var status = await next.WhenAsync(found.Value, s => s.HasEnded);

        Assert.Equal(Specs.Reference(Spec), Specs.Of(status));
        Assert.Equal(Specs.ReferenceLines(Spec, 2), File.ReadAllText(runs.Folder("small").Path(RunFolder.Metrics(2))));
    }

    [Fact]
    public async Task A_paused_run_goes_on_in_the_next_process()
    {
        // Long beside the time until a request to stop is seen.
        var spec = Specs.Small.Replace("\"members\": 6", "\"members\": 2").Replace("\"epochs\": 3", "\"epochs\": 5000");
        using var runs = new RunsFolder();
        await using (var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path))
        {
            var run = await cluster.SubmitAsync(spec);
            await cluster.WhenAsync(run, s => s.Members.Any(m => m.Step > 100));
            FileRuns.RequestStop(runs.Folder("small"));
            var paused = await cluster.Coordinator(run).WhenAtRestAsync(TestContext.Current.CancellationToken);
            Assert.Equal((RunState.Paused, "stopped"), (paused.State, paused.Reason));
            Assert.True(paused.TrainSeconds > 0);
            Assert.False(File.Exists(runs.Folder("small").Path(RunFolder.StopRequestFile)));
            Assert.False(RunLock.IsHeld(runs.Folder("small")));
        }

        var before = RunStatusJson.FromJson(File.ReadAllText(runs.Folder("small").Status));
        await using var next = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        var found = (await next.Scheduler.FindAsync("small", TestContext.Current.CancellationToken))!.Value;
        Assert.Equal(RunStatusJson.ToJson(before), RunStatusJson.ToJson(await next.Coordinator(found).GetStatusAsync()));
        await next.ResumeAsync(found);
        var status = await next.WhenAsync(found, s => s.HasEnded);

        Assert.Equal(Specs.Reference(spec), Specs.Of(status));
        Assert.True(status.TrainSeconds > before.TrainSeconds);
    }

    [Fact]
    public async Task A_stop_that_is_taken_back_at_once_loses_nothing()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        using var held = new HeldSnapshots(new RunFolder(cluster.RunsFolder, "small"));
        var run = await cluster.SubmitAsync(Specs.Held);
        await cluster.WhenAsync(run, s => s.Members[0].Step > 20);
        await cluster.Coordinator(run).StopAsync();
        held.Release();
        await cluster.ResumeAsync(run);

        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(Specs.Reference(Specs.Held), Specs.Of(status));
    }

    [Fact]
    public async Task A_run_that_cannot_go_on_is_refused_with_its_state_and_the_way_out()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var done = await cluster.SubmitAsync(Specs.Small);
        await cluster.WhenAsync(done, s => s.HasEnded);
        Assert.Equal(
            "Run \"small\" is completed: there is nothing to resume.", await RefusalAsync(done));

        var long_ = await cluster.SubmitAsync(Specs.Long.Replace("\"small\"", "\"long\""));
        Assert.Equal("Run \"long\" is in training already.", await RefusalAsync(long_));
        await cluster.Coordinator(long_).StopAsync();
        await cluster.WhenAsync(long_, s => s.State == RunState.Paused);

        using (new FileStream(cluster.Folder(long_).Lock, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.Equal(
                "Run \"long\" is in training in another process.",
                await RefusalAsync(long_));
        }

        Assert.Equal(RunState.Paused, (await cluster.Coordinator(long_).GetStatusAsync()).State);
        Assert.Null(await cluster.Scheduler.FindAsync("nobody", TestContext.Current.CancellationToken));
        Assert.Null(await cluster.Scheduler.FindAsync("../small", TestContext.Current.CancellationToken));

        async Task<string> RefusalAsync(RunKey run) =>
            (await Assert.ThrowsAsync<RunRejectedException>(() => cluster.ResumeAsync(run))).Message;
    }

    [Fact]
    public async Task A_run_on_changed_data_is_refused_and_stays_paused()
    {
        using var runs = new RunsFolder();
        RunKey run;
        await using (var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path))
        {
            run = await cluster.SubmitAsync(Specs.Long);
            await cluster.WhenAsync(run, s => s.Members.Any(m => m.Step > 0));
            await cluster.Coordinator(run).StopAsync();
            await cluster.WhenAsync(run, s => s.State == RunState.Paused);
        }

        var record = Assert.Single(Directory.GetFiles(runs.Folder("small").Path(RunFolder.RecordLogs), "definition-*.json"));
        var recorded = DataDescription.FromJson(File.ReadAllText(runs.Folder("small").Data)).Sha256;
        File.WriteAllText(record, File.ReadAllText(record).Replace(recorded, new string('0', 64)));
        await using var next = await EnsembleCluster.StartAsync(runsFolder: runs.Path);

        var error = await Assert.ThrowsAsync<RunRejectedException>(() => next.ResumeAsync(run));

        Assert.StartsWith("Dataset \"digits\" has changed since run \"small\" began", error.Message);
        Assert.Equal(RunState.Paused, (await next.Coordinator(run).GetStatusAsync()).State);
        Assert.False(RunLock.IsHeld(runs.Folder("small")));
    }

    [Fact]
    public async Task A_run_that_has_ended_is_ended_in_run_json_however_slow_the_disk_is()
    {
        using var runs = new RunsFolder();
        var file = runs.Folder("small").Status;
        var slowed = 0;
        using var slow = FileOperations.Observe(runs.Folder("small").Root, (operation, path) =>
        {
            if (operation != "rename" || path != file) return;
            Interlocked.Increment(ref slowed);
            // Longer than a coordinator waits before it writes what has changed.
            Thread.Sleep(600);
        });
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        var status = await cluster.TrainAsync(Specs.Small);

        Assert.Equal(RunStatusJson.ToJson(status), File.ReadAllText(file));
        // What had begun to be written when the run ended.
        while (Directory.EnumerateFiles(runs.Folder("small").Root).Any(AtomicFile.IsUnfinished)) await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.Equal(RunStatusJson.ToJson(status), File.ReadAllText(file));
        Assert.True(slowed > 1, "No progress was written before the end was.");
    }

    [Fact]
    public async Task No_file_of_a_run_is_touched_on_a_turn()
    {
        using var runs = new RunsFolder();
        using var watch = new TurnWatch(runs.Path);
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        var run = await cluster.SubmitAsync(Spec.Replace("\"logging\"", "\"averaging\": { \"decay\": 0.9, \"everySteps\": 9 }, \"logging\""));
        await cluster.WhenAsync(run, s => s.Ema.Any(model => model.Step > 18));
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
        await cluster.ResumeAsync(run);
        await cluster.WhenAsync(run, s => s.State == RunState.Running);
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);

        watch.HeardNothingOnTurns("open", "rename", "delete");
    }

    [Fact]
    public async Task No_file_is_touched_on_a_turn_of_those_who_predict_send_fetch_and_find()
    {
        using var runs = new RunsFolder();
        using var watch = new TurnWatch(runs.Path);
        var cancellation = TestContext.Current.CancellationToken;
        await using (var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path))
        {
            byte[] bytes = [1, 2, 3];
            var upload = cluster.Upload(Convert.ToHexStringLower(SHA256.HashData(bytes)));
            await upload.BeginAsync(bytes.Length);
            await upload.AppendAsync(0, bytes);
            await upload.CompleteAsync();
            var run = await cluster.SubmitAsync(Specs.Small);
            var status = await cluster.WhenAsync(run, s => s.HasEnded);
            await cluster.Aggregator(run).PredictAsync(new PredictionRequest([.. Specs.Plan(Specs.Small).Dataset.Test.InputsOf(0, 1).ToArray()]), cancellation);
            await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), cancellation);
            await cluster.Aggregator(run).ScoreAsync(cancellation);
            await cluster.Files(run).ReadAsync(new ModelName(status.Snapshots[0].Member, status.Snapshots[0].Step, IsEma: false), 0, cancellation);
        }

        // Another process has all of it from the files.
        await using var next = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        var found = (await next.Scheduler.FindAsync("small", TestContext.Current.CancellationToken))!.Value;
        Assert.Equal([found], await next.Scheduler.ListAllAsync(null, TestContext.Current.CancellationToken));
        await next.Aggregator(found).DescribeAsync();

        watch.HeardNothingOnTurns("open", "list", "rename");
    }

    [Fact]
    public async Task A_run_that_is_given_free_holds_up_no_turn_and_is_paused_when_it_is_free()
    {
        using var runs = new RunsFolder();
        using var ownership = new SlowOwnership();
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: runs.Path, configureSilo: silo => silo.Services.AddSingleton<IRunOwnership>(ownership));
        var run = await cluster.SubmitAsync(Spec);
        await cluster.WhenAsync(run, s => s.Members.Any(m => m.Step > 0));

        await cluster.Coordinator(run).StopAsync();
        var paused = cluster.WhenAsync(run, s => s.State == RunState.Paused);
        await ownership.IsEnding;
        await cluster.Coordinator(run).GetDefinitionAsync();
        Assert.False(paused.IsCompleted);
        ownership.End.Set();

        await paused;
    }

    [Fact]
    public async Task Names_that_the_system_chooses_never_collide()
    {
        using var runs = new RunsFolder();
        await using var one = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        await using var other = await EnsembleCluster.StartAsync(runsFolder: runs.Path);
        var spec = Specs.Small.Replace("\"name\": \"small\", ", "").Replace("\"epochs\": 3", "\"epochs\": 1");

        var submitted = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : other).SubmitAsync(spec)));

        Assert.Equal(Enumerable.Range(1, 8).Select(n => $"digits-{n}"), submitted.Select(run => run.Name).Order());
        for (var i = 0; i < submitted.Length; i++) await (i % 2 == 0 ? one : other).WhenAsync(submitted[i], s => s.HasEnded);
    }

    [Fact]
    public async Task A_name_that_cannot_be_had_though_nothing_has_it_is_not_chosen_again()
    {
        using var runs = new RunsFolder();
        await using var cluster = await EnsembleCluster.StartAsync(
            runsFolder: runs.Path, configureSilo: silo => silo.Services.AddSingleton<IRunOwnership>(services => new Refusing("digits-1", services.GetRequiredService<LockedFolders>())));

        var run = await cluster.SubmitAsync(Specs.Small.Replace("\"name\": \"small\", ", ""));

        Assert.Equal("digits-2", run.Name);
        await cluster.WhenAsync(run, status => status.HasEnded);
    }

    /// <summary>Hears of all that happens to files below a folder, and where: lanes have threads of their own, and a turn its activation's scheduler.</summary>
    private sealed class TurnWatch : IDisposable
    {
        private readonly ConcurrentBag<string> _onTurns = [];
        private readonly ConcurrentDictionary<string, bool> _heard = [];
        private readonly IDisposable _watch;

        public TurnWatch(string folder) => _watch = FileOperations.Observe(folder, Hear, reads: true);

        /// <param name="elsewhere">What was heard elsewhere, so that there was something to hear.</param>
        public void HeardNothingOnTurns(params string[] elsewhere)
        {
            Assert.Empty(_onTurns);
            Assert.All(elsewhere, operation => Assert.Contains(operation, _heard.Keys));
        }

        public void Dispose() => _watch.Dispose();

        private void Hear(string operation, string path)
        {
            _heard[operation] = true;
            if (TaskScheduler.Current != TaskScheduler.Default) _onTurns.Add($"{operation} {path}\n{Environment.StackTrace}");
        }
    }

    /// <summary>One name is that of a run that has no files.</summary>
    private sealed class Refusing(string name, LockedFolders folders) : IRunOwnership
    {
        public bool OutlivesProcess => false;

        public Task<IDisposable?> ClaimAsync(RunKey run) => run.Name == name ? Task.FromResult<IDisposable?>(null) : folders.ClaimAsync(run);

        public Task<bool> UnclaimAsync(RunKey run) => folders.UnclaimAsync(run);

        public Task<IDisposable?> TryHoldAsync(RunFolder folder) => folders.TryHoldAsync(folder);
    }

    /// <summary>To give a run free takes until the test says so.</summary>
    private sealed class SlowOwnership : IRunOwnership, IDisposable
    {
        private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim End { get; } = new();

        public Task IsEnding => _ending.Task;

        public bool OutlivesProcess => false;

        public Task<IDisposable?> ClaimAsync(RunKey run) => Task.FromResult<IDisposable?>(new Held(this));

        public Task<bool> UnclaimAsync(RunKey run) => Task.FromResult(true);

        public Task<IDisposable?> TryHoldAsync(RunFolder folder) => Task.FromResult<IDisposable?>(new Held(this));

        public void Dispose() => End.Dispose();

        private sealed class Held(SlowOwnership owner) : IDisposable
        {
            public void Dispose()
            {
                owner._ending.TrySetResult();
                owner.End.Wait();
            }
        }
    }
}

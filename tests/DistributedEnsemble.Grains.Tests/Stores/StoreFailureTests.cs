using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>
/// Operation number k of a run's files fails: for a dozen numbers k, spread over those that every run has by a seed that is told;
/// for as many as ENSEMBLE_TEST_OPERATIONS says, which is for every one if there are fewer.
/// </summary>
public sealed class StoreFailureTests : IDisposable
{
    private static readonly int s_tried = int.TryParse(Environment.GetEnvironmentVariable("ENSEMBLE_TEST_OPERATIONS"), out var given) ? Math.Max(1, given) : 12;

    private static readonly string Spec = Specs.Small.Replace("\"members\": 6", "\"members\": 2, \"averaging\": { \"decay\": 0.9, \"everySteps\": 9 }");

    private static readonly Lazy<(List<(int, int, string)> Snapshots, List<(int, int, string)> Ema, string[] Metrics)> Reference =
        new(() => (Specs.Reference(Spec), Specs.ReferenceEma(Spec), [Specs.ReferenceLines(Spec, 0), Specs.ReferenceLines(Spec, 1)]));

    private readonly RunsFolder _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task A_disk_that_is_full_for_a_moment_pauses_the_run_and_changes_nothing_else()
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        foreach (var (k, number) in await NumbersAsync())
        {
            var (name, failed, told) = ($"full-{k}", "", number);
            using var failing = FailFrom(k, until: k, name, what => failed = what);
            RunKey? run = null;
            try
            {
                run = await cluster.SubmitAsync(Named(name));
            }
            catch (IOException exception)
            {
                Assert.True(exception.Message == $"Run \"{name}\" cannot be stored in {_runs.Path}: {NoSpace}", $"{told}\n{exception.Message}");
                Assert.False(Directory.Exists(_runs.Folder(name).Root), told);
            }

            run ??= await cluster.SubmitAsync(Named(name));
            var status = await SettledAsync(cluster, run.Value);
            told += $"\n{failed}: {status.State}, {status.Reason}";
            if (status.State == RunState.Paused)
            {
                Assert.True(status.Reason == NoSpace, told);
                Assert.False(RunLock.IsHeld(_runs.Folder(name)), told);
                AssertNamedFilesAreThere(name, told);
                await cluster.ResumeAsync(run.Value);
                status = await SettledAsync(cluster, run.Value);
            }

            TestContext.Current.TestOutputHelper?.WriteLine(told);
            Assert.True(failed.Length > 0, $"{told}: the run ended before its operation {k}.");
            AssertWhole(name, status, told);
        }
    }

    [Fact]
    public async Task A_process_that_ends_before_any_operation_leaves_a_run_that_goes_on_exactly()
    {
        foreach (var (k, told) in await NumbersAsync())
        {
            var name = $"dead-{k}";
            var isDead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using (FailFrom(k, until: int.MaxValue, name, _ => isDead.TrySetResult()))
            {
                await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
                await Task.WhenAny(isDead.Task, TrainAsync(cluster, name));
            }

            Assert.False(RunLock.IsHeld(_runs.Folder(name)), told);
            Assert.True(isDead.Task.IsCompleted, $"{told}: the run ended before its operation {k}.");
            AssertNamedFilesAreThere(name, told);
            await using var next = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
            var run = await next.Scheduler.FindAsync(name, TestContext.Current.CancellationToken);
            if (run is null) run = await next.SubmitAsync(Named(name));
            else if (!(await next.Coordinator(run.Value).GetStatusAsync()).HasEnded) await next.ResumeAsync(run.Value);
            AssertWhole(name, await SettledAsync(next, run.Value), told);
        }
    }

    private const string NoSpace = "No space left on device";

    private async Task<IEnumerable<(int K, string Told)>> NumbersAsync()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ENSEMBLE_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        var random = new Random(seed);
        var operations = await LeastOperationsAsync();
        var tried = Math.Min(s_tried, operations);
        return Enumerable.Range(0, tried).Select(i => random.Next(i * operations / tried, (i + 1) * operations / tried))
            .Select(k => (k, $"ENSEMBLE_TEST_SEED={seed}, operation {k} of {operations}")).ToList();
    }

    /// <summary>Every run has so many: how often its progress is written depends on how long it takes, and its record's writes flow together.</summary>
    private async Task<int> LeastOperationsAsync()
    {
        var operations = 0;
        var folder = _runs.Folder("counted");
        using var counting = FileOperations.Observe(folder.Root, (_, path) =>
        {
            if (path != folder.Status && path != folder.Root) Interlocked.Increment(ref operations);
        });
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        await TrainAsync(cluster, "counted");
        return operations * 3 / 4;
    }

    private IDisposable FailFrom(int k, int until, string name, Action<string> failed)
    {
        var operations = 0;
        return FileOperations.Observe(_runs.Folder(name).Root, (operation, path) =>
        {
            var number = Interlocked.Increment(ref operations) - 1;
            if (number < k || number > until) return;
            failed($"{operation} {path}");
            throw new IOException(NoSpace);
        });
    }

    private static string Named(string name) => Spec.Replace("\"small\"", $"\"{name}\"");

    private static async Task TrainAsync(EnsembleCluster cluster, string name) => await SettledAsync(cluster, await cluster.SubmitAsync(Named(name)));

    /// <summary>When the run has ended, or paused: then its last lane has left.</summary>
    private static async Task<RunStatus> SettledAsync(EnsembleCluster cluster, RunKey run) =>
        await cluster.WhenAsync(run, s => s.HasEnded || s.State == RunState.Paused);

    private void AssertNamedFilesAreThere(string name, string told)
    {
        var folder = _runs.Folder(name);
        if (RecordFiles.Read(folder)?.Stored.Record is not { } record) return;
        var named = record.Members.SelectMany(member => member.Files);
        Assert.All(named, file => Assert.True(File.Exists(folder.Path(file.File)), $"{told}: {file.File} is gone"));
    }

    private void AssertWhole(string name, RunStatus status, string told)
    {
        Assert.True(status.State == RunState.Completed, $"{told}\nthen {status.State}: {status.Reason}");
        Assert.True(Reference.Value.Snapshots.SequenceEqual(Specs.Of(status)), told);
        Assert.True(Reference.Value.Ema.SequenceEqual(status.Ema.Select(e => (e.Member, e.Step, e.Sha256))), told);
        for (var member = 0; member < 2; member++)
        {
            Assert.True(Reference.Value.Metrics[member] == File.ReadAllText(_runs.Folder(name).Path(RunFolder.Metrics(member))), told);
        }
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.DependencyInjection;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>A store that breaks, now and then, in a way that nobody foresaw, while its coordinator waits for what it asked of it.</summary>
public sealed class BrokenStoreTests
{
    private static readonly string s_spec = Specs.Small.Replace("\"members\": 6", "\"members\": 3, \"averaging\": { \"decay\": 0.9, \"everySteps\": 9 }");

    [Theory]
    [InlineData(Operation.Write, true)]
    [InlineData(Operation.Write, false)]
    [InlineData(Operation.Write | Operation.Read, true)]
    [InlineData(Operation.Write | Operation.Read, false)]
    [InlineData(Operation.Drop, true)]
    [InlineData(Operation.Drop, false)]
    public async Task A_run_goes_on_and_ends_with_the_same_weights(Operation operations, bool outlivesProcess)
    {
        BreakingStore? store = null;
        await using var cluster = await EnsembleCluster.StartAsync(configureSilo: silo =>
        {
            silo.Services.AddSingleton<IRunStore>(services => store = new BreakingStore(services.GetRequiredService<FileRunStore>(), operations));
            if (outlivesProcess) silo.Services.AddSingleton<IRunOwnership>(services => new Outliving(services.GetRequiredService<LockedFolders>()));
        });

        var run = await cluster.SubmitAsync(s_spec);
        var status = await SettledAsync(cluster, run);
        while (status.State == RunState.Paused)
        {
            // Nobody else would go on with it.
            Assert.False(outlivesProcess, status.Reason);
            Assert.Equal($"its coordinator failed: {BreakingStore.Said}", status.Reason);
            await PatientlyAsync(async () =>
            {
                await cluster.ResumeAsync(run);
                return true;
            });
            status = await SettledAsync(cluster, run);
        }

        Assert.Equal((RunState.Completed, null), (status.State, status.Reason));
        Assert.InRange(store!.Broken, 2, int.MaxValue);
        Assert.Equal(Specs.Reference(s_spec), Specs.Of(status));
        Assert.Equal(Specs.ReferenceEma(s_spec), status.Ema.Select(ema => (ema.Member, ema.Step, ema.Sha256)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_whose_first_write_breaks_leaves_nothing_and_its_name_is_free(bool outlivesProcess)
    {
        await using var cluster = await EnsembleCluster.StartAsync(configureSilo: silo =>
        {
            silo.Services.AddSingleton<IRunStore>(services => new BreakingStore(services.GetRequiredService<FileRunStore>(), Operation.Write, every: 1, most: 1));
            if (outlivesProcess) silo.Services.AddSingleton<IRunOwnership>(services => new Outliving(services.GetRequiredService<LockedFolders>()));
        });

        var error = await Assert.ThrowsAnyAsync<Exception>(() => cluster.SubmitAsync(s_spec));

        Assert.EndsWith($": its coordinator failed: {BreakingStore.Said}", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(cluster.RunsFolder, "small")));
        var run = await cluster.SubmitAsync(s_spec);
        Assert.Equal(("small", RunState.Completed), (run.Name, (await cluster.WhenAsync(run, status => status.HasEnded)).State));
    }

    [Fact]
    public async Task A_name_that_could_not_be_given_back_is_taken_by_the_next_run_that_wants_it()
    {
        var names = new Names();
        await using var cluster = await EnsembleCluster.StartAsync(configureSilo: silo =>
        {
            silo.Services.AddSingleton<IRunStore>(services => new BreakingStore(services.GetRequiredService<FileRunStore>(), Operation.Write, every: 1, most: 1));
            silo.Services.AddSingleton<IRunOwnership>(names);
            silo.Services.AddSingleton<IRunDirectory>(names);
        });
        names.IsAway = true;

        await Assert.ThrowsAnyAsync<Exception>(() => cluster.SubmitAsync(s_spec));

        Assert.Equal(1, await names.CountAsync());
        names.IsAway = false;
        var run = await cluster.SubmitAsync(s_spec);
        Assert.Equal("small", run.Name);
        // One that has begun keeps its name.
        var taken = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync(s_spec));
        Assert.StartsWith("Run \"small\" already exists in ", taken.Message);
        Assert.Equal(RunState.Completed, (await cluster.WhenAsync(run, status => status.HasEnded)).State);
    }

    private static Task<RunStatus> SettledAsync(EnsembleCluster cluster, RunKey run) =>
        PatientlyAsync(() => cluster.WhenAsync(run, now => now.HasEnded || now.State == RunState.Paused));

    /// <summary>Whoever asks while the store breaks hears of it, and asks again.</summary>
    private static async Task<T> PatientlyAsync<T>(Func<Task<T>> askAsync)
    {
        while (true)
        {
            try
            {
                return await askAsync();
            }
            catch (Exception exception) when (exception.Message.Contains(BreakingStore.Said, StringComparison.Ordinal))
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    [Flags]
    public enum Operation
    {
        Write = 1, Read = 2, Drop = 4,
    }

    /// <summary>Every so many operations of those kinds one breaks, until some have.</summary>
    private sealed class BreakingStore(IRunStore inner, Operation breaks, int every = 5, int most = 4) : IRunStore
    {
        public const string Said = "nonsense";

        private int _operations, _broken;

        public int Broken => Volatile.Read(ref _broken);

        public Task<StoredRun?> ReadAsync(RunKey run) => DoAsync(Operation.Read, () => inner.ReadAsync(run));

        public Task<RecordVersion> WriteAsync(RunKey run, RecordVersion version, RunRecord? before, RunRecord after, RecordVersion? next) =>
            DoAsync(Operation.Write, () => inner.WriteAsync(run, version, before, after, next));

        public Task ClearAsync(RunKey run) => inner.ClearAsync(run);

        public Task DropAsync(RunFolder folder, RunKey run, WeightFile file) => DoAsync(Operation.Drop, async () =>
        {
            await inner.DropAsync(folder, run, file);
            return true;
        });

        private async Task<T> DoAsync<T>(Operation operation, Func<Task<T>> doAsync)
        {
            var isDue = breaks.HasFlag(operation) && Interlocked.Increment(ref _operations) % every == 0;
            if (!isDue || Interlocked.Increment(ref _broken) > most) return await doAsync();
            await Task.Yield();
            throw new NotSupportedException(Said);
        }
    }

    /// <summary>A cluster's table of names, which gives none back while it is away.</summary>
    private sealed class Names : IRunOwnership, IRunDirectory
    {
        private readonly ConcurrentDictionary<string, RunKey> _runs = new();

        public bool IsAway { get; set; }

        public bool OutlivesProcess => true;

        public Task<IDisposable?> ClaimAsync(RunKey run) => Task.FromResult<IDisposable?>(_runs.GetOrAdd(run.Name, run) == run ? Nothing.Held : null);

        public Task<bool> UnclaimAsync(RunKey run)
        {
            if (IsAway) throw new RecordsAwayException("It is away.");
            return Task.FromResult(_runs.TryRemove(new KeyValuePair<string, RunKey>(run.Name, run)));
        }

        public Task<IDisposable?> TryHoldAsync(RunFolder folder) => Task.FromResult<IDisposable?>(Nothing.Held);

        public Task<RunKey?> FindAsync(string name) => Task.FromResult(_runs.TryGetValue(name, out var run) ? run : (RunKey?)null);

        public Task<ImmutableArray<RunKey>> AllAsync(CancellationToken cancellation) => Task.FromResult<ImmutableArray<RunKey>>([.. _runs.Values]);

        public Task<long> CountAsync() => Task.FromResult((long)_runs.Count);

        public Task<ImmutableArray<RunKey>> UnfinishedAsync() => Task.FromResult<ImmutableArray<RunKey>>([]);
    }

    /// <summary>Runs of a folder as those of a cluster: whoever coordinates one is fenced by its record alone.</summary>
    private sealed class Outliving(LockedFolders folders) : IRunOwnership
    {
        public bool OutlivesProcess => true;

        public async Task<IDisposable?> ClaimAsync(RunKey run)
        {
            using var claimed = await folders.ClaimAsync(run);
            return claimed is null ? null : Nothing.Held;
        }

        public Task<bool> UnclaimAsync(RunKey run) => folders.UnclaimAsync(run);

        public Task<IDisposable?> TryHoldAsync(RunFolder folder) => Task.FromResult<IDisposable?>(Nothing.Held);
    }
}

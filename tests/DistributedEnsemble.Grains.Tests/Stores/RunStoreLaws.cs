using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>What every store of runs' records keeps to, whatever it writes into.</summary>
public abstract class RunStoreLaws : IAsyncLifetime
{
    internal RunsFolder Runs { get; } = new();

    internal RunKey Run { get; } = RunKey.New("run");

    internal abstract IRunStore Store { get; }

    /// <summary>The bytes that the store writes meanwhile.</summary>
    internal abstract Task<long> BytesOfAsync(Func<Task> write);

    /// <summary>How many bytes the write of one snapshot has.</summary>
    internal abstract (int Least, int Most) SnapshotBytes { get; }

    /// <summary>How many bytes more such a write may have late in a run than early: digits of larger numbers.</summary>
    internal abstract (int Least, int Most) MoreBytesLater { get; }

    /// <summary>Whether the store has nothing of any run.</summary>
    internal abstract bool IsEmpty { get; }

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        Runs.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_is_added_bit_by_bit_is_read_as_a_whole()
    {
        var (record, version) = await BeginAsync();
        for (var step = 1; step <= 100; step++)
        {
            var next = record.WithAll(step % 3, step);
            (version, record) = (await Store.WriteAsync(Run, version, record, next), next);
        }

        foreach (var stored in await ReadEverywhereAsync())
        {
            RecordSamples.Same(record, stored?.Record);
            Assert.Equal(version, stored!.Version);
            Assert.Equal(101, stored.Version.Number);
        }
    }

    [Fact]
    public async Task The_bytes_of_a_snapshot_do_not_depend_on_how_many_there_are()
    {
        var (record, version) = await BeginAsync();
        await AddAsync(100, 10);
        var early = await AddAsync(110, 1);
        await AddAsync(111, 879);
        var late = await AddAsync(990, 1);

        Assert.InRange(late - early, MoreBytesLater.Least, MoreBytesLater.Most);
        Assert.InRange(early, SnapshotBytes.Least, SnapshotBytes.Most);

        async Task<long> AddAsync(int first, int count)
        {
            var next = Enumerable.Range(first, count).Aggregate(record, (before, step) => before.WithSnapshot(0, step));
            var bytes = await BytesOfAsync(async () => version = await Store.WriteAsync(Run, version, record, next));
            record = next;
            return bytes;
        }
    }

    [Fact]
    public async Task Whoever_has_not_read_what_another_one_wrote_does_not_write()
    {
        var (record, version) = await BeginAsync();
        await Store.WriteAsync(Run, version, record, record.WithAll(0, 1));

        var error = await Assert.ThrowsAsync<InconsistentStateException>(() => Store.WriteAsync(Run, version, record, record.WithAll(0, 2)));

        Assert.StartsWith("The record of run \"run\" was changed by someone else.", error.Message);
        Assert.Equal(1, (await Store.ReadAsync(Run))!.Record.Members[0].Step);
    }

    [Fact]
    public async Task A_run_that_nobody_began_is_not_there()
    {
        Assert.Null(await Store.ReadAsync(Run));
    }

    [Fact]
    public async Task A_run_that_is_removed_leaves_nothing()
    {
        var (record, version) = await BeginAsync();
        await Store.WriteAsync(Run, version, record, record.WithAll(0, 1));

        await Store.ClearAsync(Run);

        Assert.True(IsEmpty);
    }

    /// <summary>What the store has, and each copy of it that can be read without the store.</summary>
    internal virtual async Task<IReadOnlyList<StoredRun?>> ReadEverywhereAsync() => [await Store.ReadAsync(Run)];

    internal virtual async Task<(RunRecord, RecordVersion)> BeginAsync()
    {
        var record = RecordSamples.New();
        return (record, await Store.WriteAsync(Run, RecordVersion.None, null, record));
    }
}

using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Storage;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class RedisRunStoreTests : IAsyncLifetime
{
    private readonly RunsFolder _runs = new();
    private readonly RunKey _run = RunKey.New("run");
    private LocalRedis _redis = null!;
    private RedisRunStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await LocalRedis.StartAsync();
        _store = new RedisRunStore(_redis.Connection, new EnsembleTrainingOptions { RunsFolder = _runs.Path }, NullLogger<RedisRunStore>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null) await _redis.DisposeAsync();
        _runs.Dispose();
    }

    [Fact]
    public async Task What_is_added_bit_by_bit_is_read_as_a_whole_from_Redis_and_from_the_folder()
    {
        var (record, version) = await BeginAsync();
        for (var step = 1; step <= 100; step++)
        {
            var next = record.WithAll(step % 3, step);
            (version, record) = (await _store.WriteAsync(_run, version, record, next), next);
        }

        var stored = await _store.ReadAsync(_run);
        RecordSamples.Same(record, stored?.Record);
        Assert.Equal(version, stored!.Version);
        var copy = RecordFiles.Read(_runs.Folder("run"), _run);
        RecordSamples.Same(record, copy?.Record);
        Assert.Equal(version, copy!.Version);
    }

    [Fact]
    public async Task The_bytes_of_a_snapshot_do_not_depend_on_how_many_there_are()
    {
        var (record, version) = await BeginAsync();
        var (early, late) = (0L, 0L);
        for (var step = 100; step < 1000; step++)
        {
            var before = _redis.Written;
            var next = record.WithSnapshot(0, step);
            (version, record) = (await _store.WriteAsync(_run, version, record, next), next);
            if (step == 110) early = _redis.Written - before;
            if (step == 990) late = _redis.Written - before;
        }

        Assert.InRange(late - early, -8, 16);
        Assert.InRange(early, 300, 2000);
    }

    [Fact]
    public async Task Whoever_has_not_read_what_another_one_wrote_does_not_write()
    {
        var (record, version) = await BeginAsync();
        await _store.WriteAsync(_run, version, record, record.WithAll(0, 1));

        await Assert.ThrowsAsync<InconsistentStateException>(() => _store.WriteAsync(_run, version, record, record.WithAll(0, 2)));

        Assert.Equal(1, (await _store.ReadAsync(_run))!.Record.Members[0].Step);
    }

    [Fact]
    public async Task A_Redis_that_lost_everything_goes_on_from_the_folder()
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(0, 1);
        var last = await _store.WriteAsync(_run, version, record, next);
        await Database.ExecuteAsync("FLUSHALL");

        var found = (await _store.ReadAsync(_run))!;
        RecordSamples.Same(next, found.Record);
        var written = await _store.WriteAsync(_run, found.Version, found.Record, found.Record.WithAll(1, 2));
        Assert.True(written.Number > last.Number);
        Assert.Equal(_run.ToString(), await Database.HashGetAsync("ensemble/runs", "run"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => _store.WriteAsync(_run, last, next, next.WithAll(2, 3)));
        RecordSamples.Same(found.Record.WithAll(1, 2), (await _store.ReadAsync(_run))?.Record);
    }

    [Fact]
    public async Task A_Redis_that_lives_in_the_past_goes_on_from_the_folder_and_lets_nobody_go_on_who_lives_there_too()
    {
        var (record, version) = await BeginAsync();
        var keys = _redis.Connection.GetServers()[0].Keys(pattern: "ensemble/run/*").ToArray();
        var dumps = keys.Select(key => Database.KeyDump(key)).ToArray();
        var next = record.WithAll(0, 1);
        await _store.WriteAsync(_run, version, record, next);
        await Database.ExecuteAsync("FLUSHALL");
        for (var i = 0; i < keys.Length; i++) await Database.KeyRestoreAsync(keys[i], dumps[i]!);

        await Assert.ThrowsAsync<InconsistentStateException>(() => _store.WriteAsync(_run, version, record, record.WithAll(0, 7)));
        var found = (await _store.ReadAsync(_run))!;
        RecordSamples.Same(next, found.Record);
        await _store.WriteAsync(_run, found.Version, found.Record, next.WithAll(1, 2));
        RecordSamples.Same(next.WithAll(1, 2), (await _store.ReadAsync(_run))?.Record);
    }

    [Fact]
    public async Task A_run_that_is_removed_leaves_nothing()
    {
        await BeginAsync();

        await _store.ClearAsync(_run);

        Assert.Empty(_redis.Connection.GetServers()[0].Keys());
    }

    private IDatabase Database => _redis.Connection.GetDatabase();

    private async Task<(RunRecord, RecordVersion)> BeginAsync()
    {
        var record = RecordSamples.New();
        return (record, await _store.WriteAsync(_run, RecordVersion.None, null, record));
    }
}

using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Storage;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class RedisRunStoreTests : RunStoreLaws
{
    private LocalRedis _redis = null!;
    private RedisRunStore _store = null!;

    internal override IRunStore Store => _store;

    internal override (int Least, int Most) SnapshotBytes => (300, 2000);

    internal override (int Least, int Most) MoreBytesLater => (-8, 16);

    internal override bool IsEmpty => !_redis.Connection.GetServers()[0].Keys().Any();

    public override async ValueTask InitializeAsync()
    {
        _redis = await LocalRedis.StartAsync();
        _store = StoreOf(objects: null);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_redis is not null) await _redis.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_Redis_that_lost_everything_goes_on_from_the_folder()
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(0, 1);
        var last = await _store.WriteAsync(Run, version, record, next);
        await Database.ExecuteAsync("FLUSHALL");

        var found = (await _store.ReadAsync(Run))!;
        RecordSamples.Same(next, found.Record);
        var written = await _store.WriteAsync(Run, found.Version, found.Record, found.Record.WithAll(1, 2));
        Assert.True(written.Number > last.Number);
        Assert.Equal(Run.ToString(), await Database.HashGetAsync("ensemble/runs", "run"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => _store.WriteAsync(Run, last, next, next.WithAll(2, 3)));
        RecordSamples.Same(found.Record.WithAll(1, 2), (await _store.ReadAsync(Run))?.Record);
    }

    [Fact]
    public async Task A_Redis_that_lives_in_the_past_goes_on_from_the_folder_and_lets_nobody_go_on_who_lives_there_too()
    {
        var (record, version) = await BeginAsync();
        var keys = _redis.Connection.GetServers()[0].Keys(pattern: "ensemble/run/*").ToArray();
        var dumps = keys.Select(key => Database.KeyDump(key)).ToArray();
        var next = record.WithAll(0, 1);
        await _store.WriteAsync(Run, version, record, next);
        await Database.ExecuteAsync("FLUSHALL");
        for (var i = 0; i < keys.Length; i++) await Database.KeyRestoreAsync(keys[i], dumps[i]!);

        await Assert.ThrowsAsync<InconsistentStateException>(() => _store.WriteAsync(Run, version, record, record.WithAll(0, 7)));
        var found = (await _store.ReadAsync(Run))!;
        RecordSamples.Same(next, found.Record);
        await _store.WriteAsync(Run, found.Version, found.Record, next.WithAll(1, 2));
        RecordSamples.Same(next.WithAll(1, 2), (await _store.ReadAsync(Run))?.Record);
    }

    [Fact]
    public async Task The_copy_among_objects_is_said_to_be_behind_until_it_has_all_that_was_written()
    {
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", Runs.Path);
        var store = StoreOf(objects);
        var (record, copied) = (RecordSamples.New(), new RunFolder(objects, "run"));
        var version = await store.WriteAsync(Run, RecordVersion.None, null, record);
        Assert.True(await store.SettleAsync(Run));
        RecordSamples.Same(record, RecordFiles.Read(copied, Run)?.Record);

        server.Fault = request => request.Method == "PUT" ? new ObjectFault(507, "InsufficientStorage") : null;
        var next = record.WithAll(0, 1);
        version = await store.WriteAsync(Run, version, record, next);
        Assert.False(await store.SettleAsync(Run));
        RecordSamples.Same(record, RecordFiles.Read(copied, Run)?.Record);

        server.Fault = null;
        var last = next.WithAll(1, 2);
        await store.WriteAsync(Run, version, next, last);
        Assert.True(await store.SettleAsync(Run));
        RecordSamples.Same(last, RecordFiles.Read(copied, Run)?.Record);
    }

    [Fact]
    public async Task The_copy_in_the_folder_is_said_to_be_behind_until_it_has_all_that_was_written()
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(0, 1);
        using (FileOperations.Observe(Runs.Path, (_, _) => throw new IOException("The disk is full.")))
        {
            version = await _store.WriteAsync(Run, version, record, next);
            Assert.False(await _store.SettleAsync(Run));
        }

        await _store.WriteAsync(Run, version, next, next.WithAll(1, 2));
        Assert.True(await _store.SettleAsync(Run));
    }

    internal override async Task<long> BytesOfAsync(Func<Task> write)
    {
        var before = _redis.Written;
        await write();
        return _redis.Written - before;
    }

    internal override async Task<IReadOnlyList<StoredRun?>> ReadEverywhereAsync() => [.. await base.ReadEverywhereAsync(), RecordFiles.Read(Runs.Folder("run"), Run)];

    private RedisRunStore StoreOf(ObjectStorage? objects) =>
        new(_redis.Connection, new EnsembleTrainingOptions { RunsFolder = Runs.Path, Store = objects }, NullLogger<RedisRunStore>.Instance);

    private IDatabase Database => _redis.Connection.GetDatabase();
}

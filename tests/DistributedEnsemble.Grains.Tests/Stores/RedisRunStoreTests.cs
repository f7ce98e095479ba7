using System.Runtime.CompilerServices;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
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
    public async Task A_file_goes_with_the_copy_among_objects_that_does_not_name_it_and_nobody_waits_for_that()
    {
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", Runs.Path);
        var store = StoreOf(objects);
        var (copied, file) = (new RunFolder(objects, "run"), RecordSamples.File(0, 1));
        copied.Write(file.File, default);
        var record = RecordSamples.New().WithSnapshot(0, 1);
        var version = await store.WriteAsync(Run, RecordVersion.None, null, record);
        await CopiedAsync(copied, version);

        var (isRefused, isBehind, isTooEarly) = (new TaskCompletionSource(), true, false);
        server.Fault = request =>
        {
            isTooEarly |= request.Method == "DELETE" && isBehind;
            if (request.Method != "PUT" || !isBehind) return null;
            isRefused.TrySetResult();
            return new ObjectFault(507, "InsufficientStorage");
        };
        var next = RecordSamples.New().WithSnapshot(0, 2);
        version = await store.WriteAsync(Run, version, null, next);
        Assert.True(store.DropAsync(copied, Run, file).IsCompletedSuccessfully);
        await isRefused.Task;
        Assert.True(copied.Exists(file.File));
        RecordSamples.Same(record, RecordFiles.Read(copied, Run)?.Record);
        isBehind = false;

        version = await store.WriteAsync(Run, version, next, next.WithAll(1, 3));
        await CopiedAsync(copied, version);
        while (copied.Exists(file.File)) await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.False(isTooEarly);
        RecordSamples.Same(next.WithAll(1, 3), RecordFiles.Read(copied, Run)?.Record);
    }

    [Fact]
    public async Task A_file_among_objects_stays_that_the_copy_names_although_its_writer_let_it_go()
    {
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", Runs.Path);
        var (copies, copied) = (CopiesTo(objects), new RunFolder(objects, "run"));
        var (named, unnamed) = (RecordSamples.File(0, 1), RecordSamples.File(0, 2));
        foreach (var file in new[] { named, unnamed }) copied.Write(file.File, default);
        var version = RecordVersion.None.Next();
        copies.Offer(Run, version, RecordSamples.New().WithSnapshot(0, 1));
        await CopiedAsync(copied, version);

        copies.Drop(Run, named);
        copies.Drop(Run, unnamed);
        while (copied.Exists(unnamed.File)) await Task.Delay(20, TestContext.Current.CancellationToken);

        Assert.True(copied.Exists(named.File));
    }

    [Fact]
    public async Task Of_two_copies_of_one_number_that_of_the_writer_whom_Redis_has_stays()
    {
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", Runs.Path);
        var (record, copied) = (RecordSamples.New(), new RunFolder(objects, "run"));
        CopiesTo(objects).Offer(Run, new RecordVersion(1, "lost"), record);
        await CopiedAsync(copied, new RecordVersion(1, "lost"));

        CopiesTo(objects).Offer(Run, new RecordVersion(1, "kept"), record.WithAll(1, 2));
        while (RecordFiles.VersionIn(copied, Run)?.Writer != "kept") await Task.Delay(20, TestContext.Current.CancellationToken);

        RecordSamples.Same(record.WithAll(1, 2), RecordFiles.Read(copied, Run)?.Record);
    }

    [Fact]
    public async Task A_copy_that_is_late_does_not_take_the_place_of_a_later_one()
    {
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", Runs.Path);
        var (late, other) = (StoreOf(objects), StoreOf(objects));
        var (record, copied) = (RecordSamples.New(), new RunFolder(objects, "run"));
        var version = await late.WriteAsync(Run, RecordVersion.None, null, record);
        await CopiedAsync(copied, version);
        var last = record.WithAll(0, 1).WithAll(1, 2);
        var isFirst = true;
        server.Fault = request =>
        {
            // Between what one has read and its write.
            if (request is not { Method: "PUT", Key: $"runs/run/{RunFolder.RecordFile}" } || !isFirst) return null;
            isFirst = false;
            var found = other.ReadAsync(Run).GetAwaiter().GetResult()!;
            CopiedAsync(copied, other.WriteAsync(Run, found.Version, found.Record, last).GetAwaiter().GetResult()).GetAwaiter().GetResult();
            return null;
        };

        version = await late.WriteAsync(Run, version, record, record.WithAll(0, 1));
        await CopiedAsync(copied, version.Next());
        // Waits for what is being copied.
        await late.ClearAsync(Run);

        RecordSamples.Same(last, RecordFiles.Read(copied, Run)?.Record);
    }

    [Fact]
    public async Task The_record_of_a_run_that_has_ended_is_forgotten_when_it_is_copied()
    {
        await using var server = new StrictObjectServer();
        using var objects = server.Open("runs", Runs.Path);
        var copies = CopiesTo(objects);
        var (goesOn, ended) = (Offer(RunState.Running), Offer(RunState.Completed));

        while (ended.IsAlive)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            GC.Collect();
        }

        Assert.True(goesOn.IsAlive);
        GC.KeepAlive(copies);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Offer(RunState state)
        {
            var record = RecordSamples.New() with { State = state };
            copies.Offer(RunKey.New(state == RunState.Running ? "run" : "ended"), RecordVersion.None.Next(), record);
            return new WeakReference(record);
        }
    }

    [Fact]
    public async Task A_file_stays_that_a_copy_in_the_folder_may_still_name()
    {
        var (record, version) = await BeginAsync();
        var (folder, file, next) = (Runs.Folder("run"), RecordSamples.File(0, 1), record.WithAll(1, 2));
        folder.Write(file.File, default);
        using (FileOperations.Observe(Runs.Path, (_, _) => throw new IOException("The disk is full.")))
        {
            version = await _store.WriteAsync(Run, version, record, next);
        }

        await _store.DropAsync(folder, Run, file);
        Assert.True(folder.Exists(file.File));

        await _store.WriteAsync(Run, version, next, next.WithAll(1, 3));
        await _store.DropAsync(folder, Run, file);
        Assert.False(folder.Exists(file.File));
        // The copy that was behind has what it missed, not the last change alone.
        RecordSamples.Same(next.WithAll(1, 3), RecordFiles.Read(folder, Run)?.Record);
    }

    internal override async Task<long> BytesOfAsync(Func<Task> write)
    {
        var before = _redis.Written;
        await write();
        return _redis.Written - before;
    }

    internal override async Task<IReadOnlyList<StoredRun?>> ReadEverywhereAsync() => [.. await base.ReadEverywhereAsync(), RecordFiles.Read(Runs.Folder("run"), Run)];

    private async Task CopiedAsync(RunFolder folder, RecordVersion version)
    {
        while ((RecordFiles.VersionIn(folder, Run)?.Number ?? 0) < version.Number) await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    private RedisRunStore StoreOf(ObjectStorage? objects) =>
        new(_redis.Connection, new EnsembleTrainingOptions { RunsFolder = Runs.Path, Store = objects }, NullLogger<RedisRunStore>.Instance);

    private RecordCopies CopiesTo(ObjectStorage objects) =>
        new(new EnsembleTrainingOptions { RunsFolder = Runs.Path, Store = objects }, NullLogger<RedisRunStore>.Instance);

    private IDatabase Database => _redis.Connection.GetDatabase();
}

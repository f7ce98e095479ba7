using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

public sealed class ObjectRunStoreTests : RunStoreLaws
{
    private const string Record = $"runs/run/{RunFolder.RecordFile}";

    private readonly StrictObjectServer _server = new();
    private readonly ObjectStorage _objects;

    public ObjectRunStoreTests()
    {
        _objects = Open();
        Store = StoreOf(_objects);
    }

    internal override IRunStore Store { get; }

    internal override (int Least, int Most) SnapshotBytes => (200, 2000);

    /// <summary>The state names as many parts of the log as there are: more or fewer of them.</summary>
    internal override (int Least, int Most) MoreBytesLater => (-500, 500);

    internal override bool IsEmpty => !_server.Names.Contains(Record);

    public override async ValueTask DisposeAsync()
    {
        _objects.Dispose();
        await _server.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_counts_once()
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(1, 5);
        FailOnce(request => request is { Method: "PUT", Key: Record }, ObjectFault.AnswerLost);

        version = await Store.WriteAsync(Run, version, record, next);

        var stored = await Store.ReadAsync(Run);
        RecordSamples.Same(next, stored?.Record);
        Assert.Equal(version, stored!.Version);
    }

    [Theory]
    [InlineData(409, "ConditionalRequestConflict")]
    [InlineData(500, "InternalError")]
    [InlineData(503, "SlowDown")]
    public async Task A_write_that_is_refused_for_a_moment_is_tried_again(int status, string code)
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(1, 5);
        FailOnce(request => request is { Method: "PUT", Key: Record }, new ObjectFault(status, code));

        await Store.WriteAsync(Run, version, record, next);

        RecordSamples.Same(next, (await Store.ReadAsync(Run))?.Record);
    }

    [Fact]
    public async Task Of_two_processes_that_write_at_once_one_hears_of_the_other()
    {
        var (record, version) = await BeginAsync();
        using var others = Open();
        var other = StoreOf(others);
        var isFirst = true;
        _server.Fault = request =>
        {
            // Between what one has read and its write.
            if (request is not { Method: "PUT", Key: Record } || !isFirst) return null;
            isFirst = false;
            other.WriteAsync(Run, version, record, record.WithAll(0, 1)).GetAwaiter().GetResult();
            return null;
        };

        await Assert.ThrowsAsync<InconsistentStateException>(() => Store.WriteAsync(Run, version, record, record.WithAll(0, 2)));

        Assert.Equal(1, (await other.ReadAsync(Run))!.Record.Members[0].Step);
    }

    [Fact]
    public async Task A_record_that_was_removed_meanwhile_is_not_written_again()
    {
        var (record, version) = await BeginAsync();
        var isFirst = true;
        _server.Fault = request =>
        {
            if (request is not { Method: "PUT", Key: Record } || !isFirst) return null;
            isFirst = false;
            Store.ClearAsync(Run).GetAwaiter().GetResult();
            return null;
        };

        await Assert.ThrowsAsync<InconsistentStateException>(() => Store.WriteAsync(Run, version, record, record.WithAll(0, 2)));

        Assert.True(IsEmpty);
    }

    [Fact]
    public async Task What_is_refused_at_any_place_of_a_write_leaves_the_version_before_and_names_nothing_that_is_not_there()
    {
        for (var refused = 0; ; refused++)
        {
            var (key, record) = (RunKey.New("run"), RecordSamples.New());
            await Store.ClearAsync(key);
            var version = await Store.WriteAsync(key, RecordVersion.None, null, record);
            var (next, puts) = (record.WithAll(1, 5), 0);
            _server.Fault = request => request.Method == "PUT" && puts++ == refused ? new ObjectFault(507, "InsufficientStorage") : null;
            var error = await Xunit.Record.ExceptionAsync(() => Store.WriteAsync(key, version, record, next));
            _server.Fault = null;
            if (error is null)
            {
                Assert.InRange(refused, 2, 10);
                return;
            }

            Assert.Equal($"{_objects.Place}: {_server.Url} has no room: make some, and let the runs go on.", error.Message);
            RecordSamples.Same(record, (await Store.ReadAsync(key))?.Record);
            version = await Store.WriteAsync(key, version, record, next);
            RecordSamples.Same(next, (await Store.ReadAsync(key))?.Record);
        }
    }

    [Fact]
    public async Task Of_two_that_take_a_name_at_once_one_has_it_and_the_other_removes_nothing_of_it()
    {
        using var others = Open();
        var (one, other) = ((ObjectRunStore)Store, StoreOf(others));
        RunKey first = RunKey.New("run"), second = RunKey.New("run");
        IDisposable? firstHeld = null;
        // The first one takes it when the second has seen that it is free.
        _server.Fault = request =>
        {
            if (request.Method != "PUT" || firstHeld is not null) return null;
            _server.Fault = null;
            firstHeld = one.ClaimAsync(first).GetAwaiter().GetResult();
            return null;
        };

        Assert.Null(await other.ClaimAsync(second));
        Assert.NotNull(firstHeld);
        Assert.Null(await other.ClaimAsync(second));
        var record = RecordSamples.New();
        await Assert.ThrowsAsync<InconsistentStateException>(() => other.WriteAsync(second, RecordVersion.None, null, record.WithAll(0, 9)));
        await one.WriteAsync(first, RecordVersion.None, null, record);
        Assert.False(await other.UnclaimAsync(second));

        RecordSamples.Same(record, (await Store.ReadAsync(first))?.Record);
    }

    [Fact]
    public async Task A_run_that_takes_a_name_has_nothing_that_a_deletion_left_there()
    {
        _objects.Append("run/members/00/metrics.jsonl", 0, new byte[500]);
        _objects.Write("run/spec.json", new byte[3]);

        using var held = await ((ObjectRunStore)Store).ClaimAsync(Run);

        Assert.NotNull(held);
        Assert.Equal(["runs/run/claim"], _server.Names);
    }

    [Fact]
    public async Task A_claim_whose_process_ended_without_a_record_is_free_within_an_hour()
    {
        Assert.NotNull(await ((ObjectRunStore)Store).ClaimAsync(RunKey.New("run")));
        Assert.Null(await ((ObjectRunStore)Store).ClaimAsync(Run));
        _server.Age(TimeSpan.FromHours(1));

        Assert.NotNull(await ((ObjectRunStore)Store).ClaimAsync(Run));
    }

    [Theory]
    [InlineData(-10)]
    [InlineData(0)]
    [InlineData(10)]
    public async Task Whether_a_run_is_in_training_does_not_depend_on_clocks_that_agree(int minutesAhead)
    {
        _server.Ahead = TimeSpan.FromMinutes(minutesAhead);
        var folder = new RunFolder(_objects, "run");
        var (record, _) = await BeginAsync();
        var status = new RunProgress().From(record).Project(Run, record, isUnderWay: true, TimeSpan.Zero) with { State = RunState.Running };
        folder.Write(RunFolder.StatusFile, System.Text.Encoding.UTF8.GetBytes(RunStatusJson.ToJson(status)));

        Assert.True(_objects.IsInTraining(folder));
        _server.Age(TimeSpan.FromMinutes(1));
        Assert.False(_objects.IsInTraining(folder));
    }

    /// <summary>The bodies of all that is put: parts of the log, and the state.</summary>
    internal override async Task<long> BytesOfAsync(Func<Task> write)
    {
        var before = _server.Received;
        await write();
        return _server.Received - before;
    }

    private void FailOnce(Func<ObjectRequest, bool> which, ObjectFault fault)
    {
        var hasFailed = 0;
        _server.Fault = request => which(request) && Interlocked.Exchange(ref hasFailed, 1) == 0 ? fault : null;
    }

    private ObjectStorage Open() => _server.Open("runs", Runs.Path);

    private ObjectRunStore StoreOf(ObjectStorage objects) => new(new EnsembleTrainingOptions { RunsFolder = Runs.Path, Store = objects });
}

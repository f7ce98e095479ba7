using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Tests.Objects;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

/// <summary>Files as objects of a store that takes the protocol by the letter.</summary>
public sealed class ObjectStorageTests : IAsyncDisposable
{
    private readonly RunsFolder _scratch = new();
    private readonly StrictObjectServer _server = new();
    private readonly ObjectStorage _objects;

    public ObjectStorageTests() => _objects = Open();

    public async ValueTask DisposeAsync()
    {
        _objects.Dispose();
        await _server.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public void What_is_written_is_read_found_listed_and_removed()
    {
        Assert.Null(_objects.Find("run/file.json"));
        Assert.Throws<FileNotFoundException>(() => _objects.ReadAllBytes("run/file.json"));

        _objects.Write("run/file.json", "{}"u8.ToArray());
        _objects.Write("run/more/empty.bin", ReadOnlyMemory<byte>.Empty);
        _objects.Write("other/file.json", "[]"u8.ToArray());

        Assert.Equal("{}", _objects.ReadAllText("run/file.json"));
        Assert.Equal(2, _objects.Find("run/file.json")!.Value.Bytes);
        Assert.Empty(_objects.ReadAllBytes("run/more/empty.bin"));
        Assert.Equal(["run/file.json", "run/more/empty.bin"], _objects.List("run/").Select(file => file.Name));
        Assert.Equal(["other", "run"], _objects.Folders());
        _objects.Prepare("run");
        Assert.Equal(["runs/other/file.json"], _server.Names);
    }

    [Fact]
    public void An_object_that_is_longer_than_it_may_be_is_not_fetched()
    {
        _objects.Write("run/run.json", new byte[5 << 20]);
        // What is fetched would lie here.
        using var elsewhere = _server.Open("runs", Path.Combine(_scratch.Path, "file", "below"));
        File.WriteAllText(Path.Combine(_scratch.Path, "file"), "");

        var error = Assert.Throws<InvalidDataException>(() => elsewhere.ReadAllBytes("run/run.json", most: 1000));

        Assert.Equal($"{_objects.PathOf("run/run.json")} is damaged: it has 5,242,880 bytes, and such a file has at most 1,000.", error.Message);
    }

    [Fact]
    public void A_list_of_many_pages_is_whole()
    {
        for (var i = 0; i < 120; i++) _objects.Write($"run-{i:D3}/file", new byte[i]);

        Assert.Equal(Enumerable.Range(0, 120).Select(i => $"run-{i:D3}"), _objects.Folders());
        Assert.Equal(120 * 119 / 2, _objects.List("").Sum(file => file.Bytes));
    }

    [Fact]
    public void A_file_that_grows_is_read_as_a_whole_and_has_few_parts()
    {
        var (random, whole) = (new Random(1), new MemoryStream());
        for (var i = 0; i < 100; i++)
        {
            var bytes = new byte[random.Next(1, 500)];
            random.NextBytes(bytes);
            _objects.Append("run/metrics.jsonl", whole.Length, bytes);
            whole.Write(bytes);
        }

        Assert.Equal(whole.ToArray(), _objects.ReadAllBytes("run/metrics.jsonl"));
        Assert.InRange(_server.Names.Count, 1, 12);
    }

    [Fact]
    public void What_is_large_goes_up_in_pieces_and_comes_back_the_same()
    {
        var bytes = new byte[130 << 20];
        new Random(1).NextBytes(bytes);

        _objects.Write("run/weights", bytes);

        using var file = _objects.OpenRead("run/weights");
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(file));
    }

    [Fact]
    public void A_list_that_fails_for_a_moment_is_asked_for_again()
    {
        _objects.Write("run/file", new byte[1]);
        var failures = 3;
        _server.Fault = request => request is { Method: "GET", Key: "" } && Interlocked.Decrement(ref failures) >= 0 ? new ObjectFault(500, "InternalError") : null;

        Assert.Equal(["run"], _objects.Folders());
    }

    [Fact]
    public void A_body_that_is_torn_leaves_what_was_there()
    {
        _objects.Write("run/file", "old"u8.ToArray());
        _server.Fault = request => request.Method == "PUT" ? ObjectFault.Torn : null;

        var error = Assert.Throws<StorageAwayException>(() => _objects.Write("run/file", "new"u8.ToArray()));

        Assert.StartsWith($"s3://ensemble/runs: {_server.Url} does not answer as a store of objects (", error.Message);
        Assert.Equal("old", _objects.ReadAllText("run/file"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_read_of_which_nothing_moves_any_more_is_given_up_within_seconds_and_tried_again(bool hasBegun)
    {
        var (time, bytes) = (new FakeTimeProvider(), new byte[100_000]);
        new Random(1).NextBytes(bytes);
        using var objects = _server.Open("runs", _scratch.Path, time);
        objects.Write("run/file", bytes);
        var tries = 0;
        _server.Fault = request => request is { Method: "GET", Key: "runs/run/file" } && Interlocked.Increment(ref tries) == 1 ? (hasBegun ? ObjectFault.HungInBody : ObjectFault.Hung) : null;

        var read = Task.Run(() => objects.ReadAllBytes("run/file"));
        var passed = TimeSpan.Zero;
        while (!read.IsCompleted && passed < TimeSpan.FromMinutes(25))
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
            // A clock that stands until it is asked: the request begins at any of its seconds.
            if (Volatile.Read(ref tries) == 0) continue;
            time.Advance(TimeSpan.FromSeconds(1));
            passed += TimeSpan.FromSeconds(1);
        }

        Assert.Equal(bytes, await read);
        Assert.Equal(2, tries);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(40)]
    public async Task Whoever_waits_for_a_store_that_says_nothing_is_told_so_in_time_and_a_silo_waits_for_longer(int seconds)
    {
        var (time, patience, asked) = (new FakeTimeProvider(), TimeSpan.FromSeconds(seconds), 0);
        using var objects = _server.Open("runs", _scratch.Path, time);
        _server.Fault = _ => Interlocked.Increment(ref asked) > 0 ? ObjectFault.Hung : null;

        objects.Patience = patience;
        var hasty = await BeginAsync();
        await PassAsync(hasty, patience);
        var told = await Assert.ThrowsAsync<StorageAwayException>(() => hasty);
        objects.Patience = null;
        var patient = await BeginAsync();
        await PassAsync(patient, patience);
        Assert.False(patient.IsCompleted);
        await PassAsync(patient, TimeSpan.MaxValue);
        var away = await Assert.ThrowsAsync<StorageAwayException>(() => patient);

        Assert.Equal(
            $"s3://ensemble/runs: {_server.Url} has said nothing for {seconds} s: is it overloaded, or the way to it cut? (ENSEMBLE__TIMING__STOREANSWER is how long is waited.)", told.Message);
        Assert.Equal($"s3://ensemble/runs: {_server.Url} takes too long.", away.Message);

        async Task<Task> BeginAsync()
        {
            var before = Volatile.Read(ref asked);
            var asking = Task.Run(() => objects.Folders());
            // A clock that stands until it is asked.
            while (Volatile.Read(ref asked) == before) await Task.Delay(10, TestContext.Current.CancellationToken);
            return asking;
        }

        async Task PassAsync(Task task, TimeSpan most)
        {
            for (var passed = TimeSpan.Zero; passed < most && !task.IsCompleted; passed += TimeSpan.FromSeconds(1))
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task A_transfer_goes_on_for_as_long_as_it_moves()
    {
        var time = new FakeTimeProvider();
        using var silence = new Silence(TimeSpan.FromSeconds(15), time);
        await using var moving = new MovingStream(new MemoryStream(new byte[1000]), silence.Moved);

        while (await moving.ReadAsync(new byte[10], TestContext.Current.CancellationToken) > 0)
        {
            time.Advance(TimeSpan.FromSeconds(14));
            Assert.False(silence.Token.IsCancellationRequested);
        }

        time.Advance(TimeSpan.FromSeconds(15));
        Assert.True(silence.Token.IsCancellationRequested);
    }

    [Fact]
    public void Files_that_may_not_be_removed_are_one_line()
    {
        for (var i = 0; i < 20; i++) _objects.Write($"run/file-{i}", new byte[1]);
        _server.Fault = request => request.Method == "DELETE" ? new ObjectFault(403, "AccessDenied") : null;

        var error = Assert.Throws<IOException>(() => _objects.Prepare("run"));

        Assert.Equal(
            $"s3://ensemble/runs: {_server.Url} refuses the keys (AccessDenied): AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be those of somebody who may list, read, write and delete there.",
            error.Message);
    }

    [Fact]
    public async Task A_store_that_can_be_used_has_nothing_of_the_look()
    {
        await _objects.CheckAsync(StoreUse.WriteRecords);

        Assert.Empty(_server.Names);
    }

    [Fact]
    public async Task Keys_that_are_wrong_are_said_to_be()
    {
        using var wrong = Open(_server.Environment("another"));

        var error = await Assert.ThrowsAsync<ObjectStoreAddressException>(() => wrong.CheckAsync(StoreUse.Read));

        Assert.Equal(
            $"s3://ensemble/runs: {_server.Url} refuses the keys (SignatureDoesNotMatch): AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be those of somebody who may list, read, write and delete there.",
            error.Message);
    }

    [Fact]
    public async Task A_bucket_that_is_missing_is_named()
    {
        using var missing = Open(address: "s3://missing/runs");

        var error = await Assert.ThrowsAsync<ObjectStoreAddressException>(() => missing.CheckAsync(StoreUse.Read));

        Assert.Equal($"s3://missing/runs: there is no bucket \"missing\" at {_server.Url}: make it, or name another one.", error.Message);
    }

    private ObjectStorage Open(Dictionary<string, string>? environment = null, string? address = null) => new(
        ObjectStoreAddress.Parse(address ?? StrictObjectServer.Address("runs"), "--store", name => (environment ?? _server.Environment()).GetValueOrDefault(name)), _scratch.Path);
}

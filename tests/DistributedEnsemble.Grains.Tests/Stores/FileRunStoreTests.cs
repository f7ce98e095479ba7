using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class FileRunStoreTests : RunStoreLaws
{
    private readonly RunFolder _folder;

    public FileRunStoreTests() => (Store, _folder) = (new FileRunStore(new EnsembleTrainingOptions { RunsFolder = Runs.Path }), Runs.Folder("run"));

    internal override IRunStore Store { get; }

    internal override (int Least, int Most) SnapshotBytes => (200, 1000);

    internal override (int Least, int Most) MoreBytesLater => (0, 8);

    internal override bool IsEmpty => !File.Exists(_folder.Record);

    [Fact]
    public async Task A_line_that_a_process_left_torn_counts_for_nothing()
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(1, 5);
        version = await Store.WriteAsync(Run, version, record, next);
        File.AppendAllText(Log(), "{\"index\":2,\"state\":\"completed\"}\n{\"index\":1,\"att");

        RecordSamples.Same(next, (await Store.ReadAsync(Run))?.Record);
        var last = next.WithAll(0, 6);
        await Store.WriteAsync(Run, version, next, last);
        RecordSamples.Same(last, (await Store.ReadAsync(Run))?.Record);
    }

    [Fact]
    public async Task A_process_that_ends_between_the_log_and_the_state_leaves_the_version_before()
    {
        var (record, version) = await BeginAsync();
        using (FileOperations.Observe(Runs.Path, (operation, path) =>
        {
            if (operation == "rename" && path == _folder.Record) throw new IOException("The process ends here.");
        }))
        {
            await Assert.ThrowsAsync<IOException>(() => Store.WriteAsync(Run, version, record, record.WithAll(1, 5)));
        }

        RecordSamples.Same(record, (await Store.ReadAsync(Run))?.Record);
        var next = record.WithAll(2, 6);
        await Store.WriteAsync(Run, version, record, next);
        RecordSamples.Same(next, (await Store.ReadAsync(Run))?.Record);
    }

    [Fact]
    public async Task A_log_that_is_mostly_of_the_past_is_written_anew()
    {
        var (record, version) = await BeginAsync();
        var first = Log();
        for (var i = 0; i < 60; i++)
        {
            var next = record.With(record.Members[0] with { UnwrittenMetrics = new string('x', 100_000), Attempt = i + 1 });
            (version, record) = (await Store.WriteAsync(Run, version, record, next), next);
        }

        Assert.NotEqual(first, Log());
        Assert.InRange(new FileInfo(Log()).Length, 0, 5 << 20);
        RecordSamples.Same(record, (await Store.ReadAsync(Run))?.Record);
    }

    [Fact]
    public async Task Files_of_a_record_that_are_short_or_missing_are_named()
    {
        var (record, version) = await BeginAsync();
        await Store.WriteAsync(Run, version, record, record.WithAll(0, 1));
        var (log, bytes) = (Log(), File.ReadAllBytes(Log()));

        File.WriteAllBytes(log, bytes[..10]);
        var cut = await Assert.ThrowsAsync<InvalidDataException>(() => Store.ReadAsync(Run));
        Assert.Equal($"{log} is damaged: it has 10 bytes, and the run's record names {bytes.Length}. Bring the file back, or train anew under another name.", cut.Message);

        File.WriteAllBytes(log, [(byte)'x', .. bytes[1..]]);
        var changed = await Assert.ThrowsAsync<InvalidDataException>(() => Store.ReadAsync(Run));
        Assert.Equal($"{log}, line 1, is damaged: it is not the JSON of a run's record (line 1, at $).", changed.Message);

        File.Delete(log);
        var gone = await Assert.ThrowsAsync<InvalidDataException>(() => Store.ReadAsync(Run));
        Assert.Equal($"{_folder.Record} is damaged: it names a file that is missing. Could not find file '{log}'.", gone.Message);
    }

    [Fact]
    public async Task A_record_of_a_later_format_is_refused()
    {
        await BeginAsync();
        File.WriteAllText(_folder.Record, File.ReadAllText(_folder.Record).Replace("\"format\":2", "\"format\":3"));

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Store.ReadAsync(Run));

        Assert.Equal($"{_folder.Record} is of format 3, and this version reads up to 2: use the newer version that wrote it.", error.Message);
    }

    private string Log() => Directory.GetFiles(_folder.Path(RunFolder.RecordLogs), "log-*").Single();

    /// <summary>The log grows, and the state is written anew each time.</summary>
    internal override async Task<long> BytesOfAsync(Func<Task> write)
    {
        var before = Bytes();
        await write();
        return Bytes() - before + new FileInfo(_folder.Record).Length;

        long Bytes() => new DirectoryInfo(_folder.Path(RunFolder.RecordLogs)).EnumerateFiles().Sum(file => file.Length);
    }

    internal override async Task<(RunRecord, RecordVersion)> BeginAsync()
    {
        (await RunLock.CreateAsync(_folder))!.Dispose();
        return await base.BeginAsync();
    }
}

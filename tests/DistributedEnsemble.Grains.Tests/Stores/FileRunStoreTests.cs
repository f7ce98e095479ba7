using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class FileRunStoreTests : IDisposable
{
    private readonly RunsFolder _runs = new();
    private readonly RunKey _run = RunKey.New("run");
    private readonly FileRunStore _store;
    private readonly RunFolder _folder;

    public FileRunStoreTests() => (_store, _folder) = (new FileRunStore(new EnsembleTrainingOptions { RunsFolder = _runs.Path }), _runs.Folder("run"));

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task What_is_added_bit_by_bit_is_read_as_a_whole()
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
        Assert.Equal(101, version.Number);
    }

    [Fact]
    public async Task The_bytes_of_a_snapshot_do_not_depend_on_how_many_there_are()
    {
        var (record, version) = await BeginAsync();
        var (early, late) = (0L, 0L);
        for (var step = 100; step < 1000; step++)
        {
            var before = Bytes();
            var next = record.WithSnapshot(0, step);
            (version, record) = (await _store.WriteAsync(_run, version, record, next), next);
            if (step == 110) early = Bytes() - before + new FileInfo(_folder.Record).Length;
            if (step == 990) late = Bytes() - before + new FileInfo(_folder.Record).Length;
        }

        Assert.InRange(late - early, 0, 8);
        Assert.InRange(early, 200, 1000);

        long Bytes() => new DirectoryInfo(_folder.Path(RunFolder.RecordLogs)).EnumerateFiles().Sum(file => file.Length);
    }

    [Fact]
    public async Task A_line_that_a_process_left_torn_counts_for_nothing()
    {
        var (record, version) = await BeginAsync();
        var next = record.WithAll(1, 5);
        version = await _store.WriteAsync(_run, version, record, next);
        File.AppendAllText(Log(), "{\"index\":2,\"state\":\"completed\"}\n{\"index\":1,\"att");

        RecordSamples.Same(next, (await _store.ReadAsync(_run))?.Record);
        var last = next.WithAll(0, 6);
        await _store.WriteAsync(_run, version, next, last);
        RecordSamples.Same(last, (await _store.ReadAsync(_run))?.Record);
    }

    [Fact]
    public async Task A_process_that_ends_between_the_log_and_the_state_leaves_the_version_before()
    {
        var (record, version) = await BeginAsync();
        using (FileOperations.Observe(_runs.Path, (operation, path) =>
        {
            if (operation == "rename" && path == _folder.Record) throw new IOException("The process ends here.");
        }))
        {
            await Assert.ThrowsAsync<IOException>(() => _store.WriteAsync(_run, version, record, record.WithAll(1, 5)));
        }

        RecordSamples.Same(record, (await _store.ReadAsync(_run))?.Record);
        var next = record.WithAll(2, 6);
        await _store.WriteAsync(_run, version, record, next);
        RecordSamples.Same(next, (await _store.ReadAsync(_run))?.Record);
    }

    [Fact]
    public async Task Whoever_has_not_read_what_another_one_wrote_does_not_write()
    {
        var (record, version) = await BeginAsync();
        await _store.WriteAsync(_run, version, record, record.WithAll(0, 1));

        var error = await Assert.ThrowsAsync<InconsistentStateException>(() => _store.WriteAsync(_run, version, record, record.WithAll(0, 2)));

        Assert.StartsWith("The record of run \"run\" was changed by someone else.", error.Message);
    }

    [Fact]
    public async Task A_log_that_is_mostly_of_the_past_is_written_anew()
    {
        var (record, version) = await BeginAsync();
        var first = Log();
        for (var i = 0; i < 60; i++)
        {
            var next = record.With(record.Members[0] with { UnwrittenMetrics = new string('x', 100_000), Attempt = i + 1 });
            (version, record) = (await _store.WriteAsync(_run, version, record, next), next);
        }

        Assert.NotEqual(first, Log());
        Assert.InRange(new FileInfo(Log()).Length, 0, 5 << 20);
        RecordSamples.Same(record, (await _store.ReadAsync(_run))?.Record);
    }

    [Fact]
    public async Task Files_of_a_record_that_are_short_or_missing_are_named()
    {
        var (record, version) = await BeginAsync();
        await _store.WriteAsync(_run, version, record, record.WithAll(0, 1));
        var (log, bytes) = (Log(), File.ReadAllBytes(Log()));

        File.WriteAllBytes(log, bytes[..10]);
        var cut = await Assert.ThrowsAsync<InvalidDataException>(() => _store.ReadAsync(_run));
        Assert.Equal($"{log} is damaged: it has 10 bytes, and the run's record names {bytes.Length}. Bring the file back, or train anew under another name.", cut.Message);

        File.WriteAllBytes(log, [(byte)'x', .. bytes[1..]]);
        var changed = await Assert.ThrowsAsync<InvalidDataException>(() => _store.ReadAsync(_run));
        Assert.Equal($"{log}, line 1, is damaged: it is not the JSON of a run's record (line 1, at $).", changed.Message);

        File.Delete(log);
        var gone = await Assert.ThrowsAsync<InvalidDataException>(() => _store.ReadAsync(_run));
        Assert.Equal($"{_folder.Record} is damaged: it names a file that is missing. Could not find file '{log}'.", gone.Message);
    }

    [Fact]
    public async Task A_record_of_a_later_format_is_refused()
    {
        await BeginAsync();
        File.WriteAllText(_folder.Record, File.ReadAllText(_folder.Record).Replace("\"format\":2", "\"format\":3"));

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => _store.ReadAsync(_run));

        Assert.Equal($"{_folder.Record} is of format 3, and this version reads up to 2: use the newer version that wrote it.", error.Message);
    }

    private string Log() => Directory.GetFiles(_folder.Path(RunFolder.RecordLogs), "log-*").Single();

    private async Task<(RunRecord, RecordVersion)> BeginAsync()
    {
        RunLock.Create(_folder)!.Dispose();
        var record = RecordSamples.New();
        return (record, await _store.WriteAsync(_run, RecordVersion.None, null, record));
    }
}

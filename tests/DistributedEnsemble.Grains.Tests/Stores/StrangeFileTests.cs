using System.Diagnostics;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>What stands in a run's folder in the place of its files: others may write there.</summary>
public sealed class StrangeFileTests : IDisposable
{
    private const string Secret = "a secret of this machine";

    private readonly RunsFolder _runs = new();
    private readonly string _outside = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose()
    {
        _runs.Dispose();
        Directory.Delete(_outside, recursive: true);
    }

    [Fact]
    public void A_link_is_not_followed_wherever_it_stands_on_the_way()
    {
        File.WriteAllText(Path.Combine(_outside, "spec.json"), Secret);
        var (linked, file) = (_runs.Folder("linked"), _runs.Folder("file"));
        Directory.CreateSymbolicLink(linked.Root, _outside);
        Directory.CreateDirectory(file.Root);
        File.CreateSymbolicLink(file.Spec, Path.Combine(_outside, "spec.json"));

        foreach (var folder in (RunFolder[])[linked, file])
        {
            var refused = Assert.Throws<InvalidDataException>(() => RegularFile.ReadAllText(folder.Runs, folder.Spec));
            Assert.Equal($"{folder.Spec} is a link, or reached through one: only regular files are read there.", refused.Message);
        }
    }

    [Fact]
    public async Task A_pipe_keeps_nobody_waiting()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes there are no files.");
        var folder = _runs.Folder("piped");
        Directory.CreateDirectory(folder.Root);
        foreach (var path in (string[])[folder.Status, folder.Record, folder.Lock]) Process.Start("mkfifo", [path]).WaitForExit();
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);

        Assert.Equal($"{folder.Status} is a pipe or a device: only regular files are read there.", Assert.Throws<InvalidDataException>(() => RunStatusFile.Read(folder)).Message);
        Assert.False(RunLock.IsHeld(folder));
        Assert.Empty(await cluster.Scheduler.ListAllAsync(null, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<InvalidDataException>(() => cluster.Scheduler.FindAsync("piped", TestContext.Current.CancellationToken));
        Assert.Equal(RunState.Completed, (await cluster.TrainAsync("""{ "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""")).State);
    }

    [Fact]
    public async Task Nothing_is_written_or_removed_behind_a_link()
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        var other = await cluster.TrainAsync("""{ "name": "other", "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");
        var model = _runs.Folder("other").Path(other.Snapshots.Single().File);
        File.SetLastWriteTimeUtc(model, DateTime.UtcNow.AddDays(-1));
        Directory.CreateSymbolicLink(_runs.Folder("linked").Root, _outside);
        Directory.CreateDirectory(_runs.Folder("run").Root);
        Directory.CreateSymbolicLink(_runs.Folder("run").Path("members"), _runs.Folder("other").Path("members"));

        UnnamedFiles.Remove(_runs.Folder("run"), new RunRecord(), DateTimeOffset.UtcNow);
        var taken = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync(
            """{ "name": "linked", "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }"""));

        Assert.True(File.Exists(model));
        Assert.StartsWith("Run \"linked\" already exists in ", taken.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_outside));
    }

    public static TheoryData<string> Written =>
    [
        RunFolder.SpecFile, RunFolder.DataFile, RunFolder.StatusFile, RunFolder.RecordFile, RunFolder.TimelineFile, RunFolder.StopRequestFile,
        RunFolder.RecordDefinitionFile, RunFolder.RecordLog(1, "writer"), RunFolder.Metrics(0), RunFolder.Snapshot(0, 1), RunFolder.Checkpoint(0, 1, 1),
        RunFolder.HandOver(0, 1), RunFolder.Ema(0, 1), RunFolder.Validation("key"), "report/index.html",
    ];

    [Theory, MemberData(nameof(Written))]
    public void No_file_of_a_run_is_written_behind_a_link_wherever_it_stands_on_the_way(string name)
    {
        var parts = name.Split('/');
        for (var depth = 0; depth < parts.Length; depth++)
        {
            var folder = _runs.Folder($"linked-{depth}");
            var link = depth == 0 ? folder.Root : folder.Path(string.Join('/', parts[..depth]));
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            Directory.CreateSymbolicLink(link, _outside);

            foreach (var write in (Action[])[() => folder.Write(name, default), () => folder.Append(name, 0, default), () => folder.WritablePath(name)])
            {
                Assert.Equal(
                    $"{folder.Path(name)} is a link, or reached through one: only regular files are read there.", Assert.Throws<InvalidDataException>(write).Message);
            }
        }

        Assert.Empty(Directory.GetFileSystemEntries(_outside));
    }

    [Fact]
    public void What_trains_and_tells_of_a_run_follows_no_link_in_its_folder()
    {
        var (folder, other) = (_runs.Folder("run"), Path.Combine(_outside, "timeline"));
        var timeline = new Timeline(folder, TimeProvider.System);
        Directory.CreateDirectory(folder.Root);
        File.WriteAllText(other, "");
        File.WriteAllText(folder.Spec, "{}");
        File.CreateSymbolicLink(folder.Path(RunFolder.TimelineFile), other);
        Directory.CreateSymbolicLink(folder.Path("members"), _outside);

        timeline.Lost(0, "silo");
        Assert.Throws<InvalidDataException>(() => timeline.Append(new RunStatus { Run = "run", Id = Guid.NewGuid(), State = RunState.Running }));
        Assert.Throws<InvalidDataException>(() => new MetricFiles(folder).Write(0, 3, "{}\n"));
        Assert.Throws<InvalidDataException>(() => WeightFiles.Save(folder, new WeightFile(0, 1, RunFolder.Snapshot(0, 1), ""), RunKey.New("run"), []));

        Assert.Equal((other, 0), (Assert.Single(Directory.GetFileSystemEntries(_outside)), new FileInfo(other).Length));
    }

    [Fact]
    public void A_file_that_is_too_large_a_folder_and_a_missing_one_say_so()
    {
        var folder = _runs.Folder("large");
        Directory.CreateDirectory(folder.Spec);
        File.WriteAllText(folder.Data, "12345");

        Assert.Equal("12345", RegularFile.ReadAllText(folder.Runs, folder.Data, most: 5));
        Assert.Equal($"{folder.Data} is damaged: it has 5 bytes, and such a file has at most 4.", Assert.Throws<InvalidDataException>(() => RegularFile.ReadAllText(folder.Runs, folder.Data, most: 4)).Message);
        Assert.ThrowsAny<Exception>(() => RegularFile.ReadAllText(folder.Runs, folder.Spec));
        Assert.Throws<FileNotFoundException>(() => RegularFile.ReadAllText(folder.Runs, folder.Status));
        Assert.Throws<DirectoryNotFoundException>(() => RegularFile.ReadAllText(folder.Runs, folder.Path("members/00/metrics.jsonl")));
        Assert.Throws<ArgumentException>(() => RegularFile.ReadAllText(folder.Runs, Path.Combine(_outside, "spec.json")));
    }

    [Fact]
    public async Task Models_that_are_links_are_not_handed_out()
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        var status = await cluster.TrainAsync("""{ "name": "run", "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");
        var model = status.Snapshots.Single();
        var path = _runs.Folder("run").Path(model.File);
        File.Move(path, Path.Combine(_outside, "model"));
        File.CreateSymbolicLink(path, Path.Combine(_outside, "model"));

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => cluster.Files(new RunKey("run", status.Id)).ReadAsync(new ModelName(0, model.Step, IsEma: false), 0, TestContext.Current.CancellationToken));
        var unread = Assert.Throws<SafetensorsException>(() => SafetensorsReader.Open(_runs.Folder("run"), model));

        Assert.Contains("only regular files are read there", refused.Message);
        Assert.Contains("only regular files are read there", unread.Message);
    }

    [Fact]
    public async Task A_lock_that_is_a_link_makes_nothing_outside()
    {
        var folder = _runs.Folder("locked");
        Directory.CreateDirectory(folder.Root);
        File.CreateSymbolicLink(folder.Lock, Path.Combine(_outside, "lock"));

        var refused = await Assert.ThrowsAsync<IOException>(() => RunLock.TryAcquireAsync(folder));

        Assert.Equal($"{folder.Lock} is a link, or reached through one: only regular files are read there.", refused.Message);
        Assert.False(RunLock.IsHeld(folder));
        Assert.Empty(Directory.GetFileSystemEntries(_outside));
    }

    [Fact]
    public async Task A_lock_is_held_against_those_who_open_it_in_any_way()
    {
        var folder = _runs.Folder("held");
        Directory.CreateDirectory(folder.Root);
        using (await RunLock.TryAcquireAloneAsync(folder))
        {
            Assert.Throws<IOException>(() => new FileStream(folder.Lock, FileMode.Open, FileAccess.Read, FileShare.None));
            Assert.Throws<IOException>(() => RegularFile.OpenAlone(folder.Runs, folder.Lock, creates: true));
        }

        using (new FileStream(folder.Lock, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) Assert.True(RunLock.IsHeld(folder));
        Assert.False(RunLock.IsHeld(folder));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Metrics_are_not_written_through_a_link(bool isFolder)
    {
        var folder = _runs.Folder("metrics");
        var path = folder.Path(RunFolder.Metrics(0));
        Directory.CreateDirectory(folder.Root);
        if (isFolder) Directory.CreateSymbolicLink(folder.Path("members"), _outside);
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.CreateSymbolicLink(path, Path.Combine(_outside, "metrics"));
        }

        var refused = Assert.Throws<InvalidDataException>(() => new MetricFiles(folder).Write(0, 3, "{}\n"));

        Assert.Equal($"{path} is a link, or reached through one: only regular files are read there.", refused.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_outside));
    }

    [Fact]
    public async Task An_upload_reads_and_writes_nothing_behind_a_link()
    {
        const string Sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        var data = Directory.CreateDirectory(Path.Combine(_runs.Path, ".data")).FullName;
        var (part, whole) = (Path.Combine(data, $"{Sha256}.5.part"), Path.Combine(data, $"{Sha256}.csv"));
        File.CreateSymbolicLink(part, Path.Combine(_outside, "part"));

        var refused = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.Upload(Sha256).BeginAsync(5));
        File.WriteAllText(Path.Combine(_outside, "secret"), Secret);
        File.CreateSymbolicLink(whole, Path.Combine(_outside, "secret"));
        var unread = Assert.Throws<DataException>(() => new EnsembleTrainingOptions { RunsFolder = _runs.Path }.Resolve(
            new DataSpec { Dataset = new UploadedName(Sha256, "a.csv").ToString() }, readsPaths: false));

        Assert.Equal($"{part} is a link, or reached through one: only regular files are read there.", refused.Message);
        Assert.Equal($"{whole} is a link, or reached through one: only regular files are read there.", unread.Message);
        Assert.False(File.Exists(Path.Combine(_outside, "part")));
    }

    [Fact]
    public void The_name_of_a_shared_folder_is_neither_a_link_nor_a_pipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes there are no files.");
        var (linked, piped) = (Path.Combine(_runs.Folder("linked").Root, ".shared-folder"), Path.Combine(_runs.Folder("piped").Root, ".shared-folder"));
        foreach (var path in (string[])[linked, piped])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            Assert.Null(SharedFolder.Read(path));
        }

        File.WriteAllText(Path.Combine(_outside, "secret"), Secret);
        File.CreateSymbolicLink(linked, Path.Combine(_outside, "secret"));
        Process.Start("mkfifo", [piped]).WaitForExit();

        Assert.Equal($"{linked} is a link, or reached through one: only regular files are read there.", Assert.Throws<IOException>(() => SharedFolder.Read(linked)).Message);
        Assert.Equal($"{piped} is a pipe or a device: only regular files are read there.", Assert.Throws<IOException>(() => SharedFolder.Read(piped)).Message);
    }
}

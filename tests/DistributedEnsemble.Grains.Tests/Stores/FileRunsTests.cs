using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class FileRunsTests : IDisposable
{
    private readonly RunsFolder _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task A_deleted_run_leaves_nothing()
    {
        var folder = await CreateAsync("small");
        await CreateAsync("other");

        await FileRuns.DeleteAsync(folder);

        Assert.Equal(["other"], Directory.EnumerateFileSystemEntries(_runs.Path).Select(path => Path.GetFileName(path)!));
    }

    [Fact]
    public async Task What_a_deletion_left_that_did_not_end_is_no_run_and_goes_with_the_next()
    {
        Directory.CreateDirectory(Path.Combine(_runs.Path, ".deleted-0123", "members"));

        await FileRuns.DeleteAsync(await CreateAsync("small"));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_runs.Path));
    }

    [Fact]
    public async Task A_run_in_training_is_not_deleted()
    {
        var folder = await CreateAsync("small");
        using (await RunLock.TryAcquireAsync(folder))
        {
            Assert.Equal(
                "Run \"small\" is in training.",
                (await Assert.ThrowsAsync<RunRejectedException>(() => FileRuns.DeleteAsync(folder))).Message);
        }

        Assert.True(File.Exists(folder.Record));
    }

    [Fact]
    public async Task An_unknown_run_is_not_deleted() => Assert.Equal(
        $"There is no run \"small\" in {_runs.Path}.", (await Assert.ThrowsAsync<RunRejectedException>(() => FileRuns.DeleteAsync(_runs.Folder("small")))).Message);

    [Fact]
    public void A_run_whose_process_ended_shows_the_steps_from_which_it_goes_on()
    {
        var (folder, run) = (_runs.Folder("small"), RunKey.New("small"));
        var member = new MemberRecord { Index = 0, State = MemberState.Training, Attempt = 1, Silo = "127.0.0.1:1", Step = 100 };
        var record = new RunRecord { State = RunState.Running, Loads = MemberLoads.Same(1, new MemberLoad(1000, 10)), Members = [member] };
        RecordFiles.Write(folder, run, RecordVersion.None.Next(), null, record, keepsOld: false);
        var progress = new RunProgress().Reported(new MemberProgress(new MemberAttempt(0, 1), 0, 190, 0.5, 10), TimeSpan.Zero);
        var written = progress.Project(run, record, isUnderWay: true, TimeSpan.Zero);
        Assert.Equal((RunState.Running, 190), (written.State, written.Steps));

        var status = FileRuns.Orphaned(folder, written);
        Assert.Equal((RunState.Paused, "its process ended", 100), (status.State, status.Reason, status.Steps));
        Assert.Equal((MemberState.Waiting, 100), (status.Members[0].State, status.Members[0].Step));

        // Without its record only run.json tells, and a resume says what is wrong.
        File.WriteAllText(folder.Record, "damaged");
        var without = FileRuns.Orphaned(folder, written);
        Assert.Equal((RunState.Paused, 190, MemberState.Waiting), (without.State, without.Steps, without.Members[0].State));
    }

    [Fact]
    public async Task A_run_that_nobody_trains_is_not_asked_to_stop()
    {
        var folder = await CreateAsync("small");

        var error = Assert.Throws<RunRejectedException>(() => FileRuns.RequestStop(folder));

        Assert.Equal("Run \"small\" is not in training: there is nothing to stop.", error.Message);
        Assert.False(File.Exists(folder.Path(RunFolder.StopRequestFile)));
    }

    [Fact]
    public async Task A_folder_that_a_process_left_before_its_run_began_can_be_taken()
    {
        var folder = _runs.Folder("small");
        (await RunLock.CreateAsync(folder))!.Dispose();
        using (await RunLock.CreateAsync(folder)) Assert.Null(await RunLock.CreateAsync(folder));
        File.WriteAllText(folder.Record, "");

        Assert.Null(await RunLock.CreateAsync(folder));
    }

    private async Task<RunFolder> CreateAsync(string name)
    {
        var folder = _runs.Folder(name);
        using (await RunLock.CreateAsync(folder)) File.WriteAllText(folder.Record, "{}");
        return folder;
    }
}

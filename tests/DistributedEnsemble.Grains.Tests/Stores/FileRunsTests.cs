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
    public void A_deleted_run_leaves_nothing()
    {
        var folder = Create("small");
        Create("other");

        FileRuns.Delete(folder);

        Assert.Equal(["other"], Directory.EnumerateFileSystemEntries(_runs.Path).Select(path => Path.GetFileName(path)!));
    }

    [Fact]
    public void What_a_deletion_left_that_did_not_end_is_no_run_and_goes_with_the_next()
    {
        Directory.CreateDirectory(Path.Combine(_runs.Path, ".deleted-0123", "members"));

        FileRuns.Delete(Create("small"));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_runs.Path));
    }

    [Fact]
    public void A_run_in_training_is_not_deleted()
    {
        var folder = Create("small");
        using (RunLock.TryAcquire(folder))
        {
            Assert.Equal(
                "Run \"small\" is in training.",
                Assert.Throws<RunRejectedException>(() => FileRuns.Delete(folder)).Message);
        }

        Assert.True(File.Exists(folder.Record));
    }

    [Fact]
    public void An_unknown_run_is_not_deleted() => Assert.Equal(
        $"There is no run \"small\" in {_runs.Path}.", Assert.Throws<RunRejectedException>(() => FileRuns.Delete(_runs.Folder("small"))).Message);

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
    public void A_run_that_nobody_trains_is_not_asked_to_stop()
    {
        var folder = Create("small");

        var error = Assert.Throws<RunRejectedException>(() => FileRuns.RequestStop(folder));

        Assert.Equal("Run \"small\" is not in training: there is nothing to stop.", error.Message);
        Assert.False(File.Exists(folder.StopRequest));
    }

    [Fact]
    public void A_folder_that_a_process_left_before_its_run_began_can_be_taken()
    {
        var folder = _runs.Folder("small");
        RunLock.Create(folder)!.Dispose();
        using (RunLock.Create(folder)) Assert.Null(RunLock.Create(folder));
        File.WriteAllText(folder.Record, "");

        Assert.Null(RunLock.Create(folder));
    }

    private RunFolder Create(string name)
    {
        var folder = _runs.Folder(name);
        using (RunLock.Create(folder)) File.WriteAllText(folder.Record, "{}");
        return folder;
    }
}

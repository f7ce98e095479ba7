using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>What a process can do to the runs of a folder that it does not train.</summary>
internal static class FileRuns
{
    /// <summary>A name that no run can have, so that no reader takes what is left of a run for one.</summary>
    private const string Deleted = ".deleted-";

    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Asks the process that trains a run to take checkpoints and pause it, which it does within about a second. Returns at
    /// once; the run is paused when run.json says so, or when <see cref="RunLock.IsHeld"/> no longer holds.
    /// </summary>
    /// <exception cref="RunRejectedException">No process trains it.</exception>
    public static void RequestStop(RunFolder folder)
    {
        if (!IsInTraining(folder)) throw new RunRejectedException($"Run \"{folder.Name}\" is not in training: there is nothing to stop.");
        folder.Write(RunFolder.StopRequestFile, default);
    }

    /// <summary>
    /// Whether a process trains a run: one that holds the lock of its folder, or, in a store of objects, that has written its run.json
    /// within the last half minute.
    /// </summary>
    public static bool IsInTraining(RunFolder folder)
    {
        if (folder.Storage is not ObjectStorage objects) return RunLock.IsHeld(folder);
        return folder.Find(RunFolder.StatusFile) is { } written && written.Written > objects.Now - s_silence
            && RunStatusFile.Read(folder) is { State: RunState.Running or RunState.Queued };
    }

    /// <summary>
    /// How a run is whose process ended without a word: paused, at the steps from which it goes on. Its run.json may tell of later
    /// ones, which nobody recorded.
    /// </summary>
    /// <param name="written">What run.json says.</param>
    public static RunStatus Orphaned(RunFolder folder, RunStatus written)
    {
        const string Reason = "its process ended";
        try
        {
            if (RecordFiles.Read(folder) is var (run, stored) && run.Id == written.Id)
            {
                var record = stored.Record.WithoutLanes();
                if (record.State is RunState.Running or RunState.Queued) record = record with { State = RunState.Paused, Reason = Reason };
                return new RunProgress().From(record).Project(run, record, isUnderWay: false, TimeSpan.Zero);
            }
        }
        catch (Exception exception) when (StoreFailure.In(exception) is not null)
        {
            // Whoever resumes it is told what is wrong with the record.
        }

        return written with
        {
            State = RunState.Paused,
            Reason = Reason,
            Members = [.. written.Members.Select(member => member.State == MemberState.Training
                ? member with { State = MemberState.Waiting, Silo = null, Lane = null, StepsPerSecond = 0 }
                : member)],
        };
    }

    /// <summary>Removes a run with all its files. Whatever crashes, the run is there whole, or is gone.</summary>
    /// <exception cref="RunRejectedException">There is no such run, or a process trains it.</exception>
    public static async Task DeleteAsync(RunFolder folder)
    {
        if (!IsThere(folder)) throw new RunRejectedException($"There is no run \"{folder.Name}\" in {folder.Runs}.");
        if (folder.Storage is not FolderStorage)
        {
            if (IsInTraining(folder)) throw InTraining(folder);
            Remove(folder);
            return;
        }

        using (var alone = await RunLock.TryAcquireAloneAsync(folder))
        {
            if (alone is null) throw InTraining(folder);
            SetAside(folder);
        }

        Clear(folder.Runs);
    }

    private static RunRejectedException InTraining(RunFolder folder) =>
        new($"Run \"{folder.Name}\" is in training.") { Remedy = RunRemedy.StopThenDelete, Run = folder.Name };

    /// <summary>Whether a name leads elsewhere: nothing is written there.</summary>
    internal static bool IsLink(RunFolder folder) => folder.Storage is FolderStorage && new DirectoryInfo(folder.Root).LinkTarget is not null;

    /// <summary>Whether anything has the name, a run or not.</summary>
    internal static bool IsThere(RunFolder folder) => folder.Storage is FolderStorage ? Directory.Exists(folder.Root) : folder.List().Any();

    /// <summary>Removes the files of a run to be that did not begin, unless another run has the name by now.</summary>
    internal static void Remove(RunFolder folder, RunKey run)
    {
        if (folder.Storage is ObjectStorage objects)
        {
            if (ObjectRunStore.ClaimantOf(objects, run.Name) is { } claimant && claimant != $"{run}") return;
            if (RecordFiles.RunIn(folder) is { } recorded && recorded != run) return;
        }

        Remove(folder);
    }

    /// <summary>Removes the files of a run that nobody owns any more.</summary>
    internal static void Remove(RunFolder folder)
    {
        if (folder.Storage is not FolderStorage)
        {
            // Without these it is no run any more; what is left when this process ends goes with the next run of that name.
            folder.Delete(RunFolder.RecordFile);
            folder.Delete(RunFolder.StatusFile);
            folder.Storage.Clear($"{folder.Name}/");
            return;
        }

        if (Directory.Exists(folder.Root)) SetAside(folder);
        Clear(folder.Runs);
    }

    /// <summary>Under the other name before any file goes, also after a power cut.</summary>
    private static void SetAside(RunFolder folder)
    {
        Directory.Move(folder.Root, Path.Combine(folder.Runs, $"{Deleted}{Guid.NewGuid():N}"));
        FolderFlush.Flush(folder.Runs);
    }

    private static void Clear(string runs)
    {
        // What an earlier deletion left when its process ended goes, too.
        foreach (var remains in Directory.EnumerateDirectories(runs, $"{Deleted}*")) Directory.Delete(remains, recursive: true);
    }
}

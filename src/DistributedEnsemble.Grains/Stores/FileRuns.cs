using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>What a process can do to the runs of a folder that it does not train.</summary>
internal static class FileRuns
{
    /// <summary>
    /// Asks the process that trains a run to take checkpoints and pause it, which it does within about a second. Returns at
    /// once; the run is paused when run.json says so, or when <see cref="RunLock.IsHeld"/> no longer holds.
    /// </summary>
    /// <exception cref="RunRejectedException">No process trains it.</exception>
    public static void RequestStop(RunFolder folder)
    {
        if (!folder.Storage.IsInTraining(folder)) throw new RunRejectedException($"Run \"{folder.Name}\" is not in training: there is nothing to stop.");
        folder.Write(RunFolder.StopRequestFile, default);
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
        if (!folder.Storage.Has(folder.Name)) throw new RunRejectedException($"There is no run \"{folder.Name}\" in {folder.Runs}.");
        if (await folder.Storage.TryRemoveAsync(folder)) return;
        throw new RunRejectedException($"Run \"{folder.Name}\" is in training.") { Remedy = RunRemedy.StopThenDelete, Run = folder.Name };
    }
}

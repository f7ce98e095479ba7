using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Files that a run's record does not name: of attempts that are not heard any more, and of processes that ended while they wrote.</summary>
internal static class UnnamedFiles
{
    /// <summary>A lane may be about to name a younger one.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromHours(1);

    public static void Remove(RunFolder folder, RunRecord record, DateTimeOffset now)
    {
        var named = record.Members.SelectMany(member => member.Files).Select(file => file.File).ToHashSet();
        var isUnnamedLog = RecordFiles.UnnamedLogs(folder);
        foreach (var file in folder.List())
            if (file.Written < now - s_grace && (AtomicFile.IsUnfinished(file.Name) || IsUnnamed(file.Name))) folder.Delete(file.Name);

        bool IsUnnamed(string relative) => isUnnamedLog(relative) || (RunFolder.IsWeights(relative) && !named.Contains(relative));
    }
}

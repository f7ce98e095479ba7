using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Files that a run's record does not name: of attempts that are not heard any more, and of processes that ended while they wrote.</summary>
internal static class UnnamedFiles
{
    /// <summary>A lane may be about to name a younger one.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromHours(1);

    /// <summary>What a link leads to is not this run's, perhaps another's.</summary>
    private static readonly EnumerationOptions s_withoutLinks = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    public static void Remove(RunFolder folder, RunRecord record, DateTimeOffset now)
    {
        var named = record.Members.SelectMany(member => member.Files).Select(file => file.File).ToHashSet();
        var isUnnamedLog = RecordFiles.UnnamedLogs(folder);
        foreach (var path in Directory.EnumerateFiles(folder.Root, "*", s_withoutLinks).ToList())
        {
            var isOld = File.GetLastWriteTimeUtc(path) < now.UtcDateTime - s_grace;
            if (isOld && (AtomicFile.IsUnfinished(path) || IsUnnamed(path))) FileOperations.Delete(path);
        }

        bool IsUnnamed(string path)
        {
            var relative = Path.GetRelativePath(folder.Root, path).Replace(Path.DirectorySeparatorChar, '/');
            return isUnnamedLog(relative) || (RunFolder.IsWeights(relative) && !named.Contains(relative));
        }
    }
}

using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Writes down what happens to a run, for people: the differences between the statuses that are shown.</summary>
internal sealed class Timeline(RunFolder folder, TimeProvider time)
{
    private readonly ConcurrentQueue<RunHappening> _lost = [];

    /// <summary>Members whose loss is written, until what comes of it is seen.</summary>
    private readonly HashSet<int?> _told = [];
    private RunStatus? _last;
    private long _length;
    private bool _hasBegun;

    /// <summary>The member's silo or lane is gone.</summary>
    public void Lost(int member, string? silo) => _lost.Enqueue(new RunHappening(time.GetUtcNow(), RunHappeningKind.MemberLost, member, Silo: silo));

    /// <summary>Writes what has happened until a status that is about to be shown; one at a time.</summary>
    /// <exception cref="IOException">It cannot be written; nothing depends on it.</exception>
    public void Append(RunStatus next)
    {
        if (!_hasBegun) (_last, _length, _hasBegun) = (Shown(next.Id), Length(), true);
        var happened = new List<RunHappening>();
        while (_lost.TryDequeue(out var lost))
        {
            happened.Add(lost);
            _told.Add(lost.Member);
        }

        foreach (var one in RunHappening.Between(_last, next, time.GetUtcNow()))
        {
            // A member that was lost waits like one that left, in this status or in one after it.
            if (_told.Remove(one.Member) && one.Kind == RunHappeningKind.MemberLeft) continue;
            happened.Add(one);
        }

        _last = next;
        if (happened.Count == 0) return;
        var lines = Encoding.UTF8.GetBytes(string.Concat(happened.Select(line => JsonSerializer.Serialize(line, RunStatusJson.Options) + "\n")));
        folder.Append(RunFolder.TimelineFile, _length, lines);
        _length += lines.Length;
    }

    private long Length()
    {
        try
        {
            using var file = folder.OpenRead(RunFolder.TimelineFile, long.MaxValue);
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>What an activation before this one showed last.</summary>
    private RunStatus? Shown(Guid run)
    {
        try
        {
            return RunStatusFile.Read(folder) is { } status && status.Id == run ? status : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }
}

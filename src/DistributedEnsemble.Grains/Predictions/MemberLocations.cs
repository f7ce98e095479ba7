using System.Collections.Concurrent;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// Which silo answers for each member of a run, as their answers said. Members of one silo are asked in one call; one that
/// did not answer is not waited for again for a moment, and then asked by itself, wherever it lives by then.
/// </summary>
internal sealed class MemberLocations(TimeProvider time)
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, (string? Silo, long? FailedAt)> _members = new();

    /// <summary>Null before it has answered.</summary>
    public string? Of(int member) => _members.GetValueOrDefault(member).Silo;

    public bool IsResting(int member) => _members.GetValueOrDefault(member).FailedAt is { } at && time.GetElapsedTime(at) < Rest;

    public void Answered(int member, string? silo) => _members[member] = (silo, null);

    public void Failed(int member) => _members[member] = (null, time.GetTimestamp());
}

using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Benchmarks.Recovery;

/// <summary>What a run went through after one of its silos was killed: seconds since then, as the cluster's answers show it.</summary>
internal sealed record Recovery
{
    /// <summary>Seconds that ninety-nine of a hundred recoveries may take.</summary>
    public const double MostOfNearlyAll = 6;

    /// <summary>Somebody answers for the run: its coordinator lives, or another one has taken its place.</summary>
    public double? Answered { get; init; }

    /// <summary>A member of the silo is known to be lost.</summary>
    public double? Noticed { get; init; }

    /// <summary>A lost member has a lane again.</summary>
    public double? Placed { get; init; }

    /// <summary>A lost member has made a new step.</summary>
    public double? Stepped { get; init; }

    public bool IsQuick => Stepped <= MostOfNearlyAll;

    /// <param name="members">Those of the silo, as they are now.</param>
    /// <param name="lost">Their attempts there.</param>
    public Recovery Seen(double seconds, IReadOnlyCollection<MemberStatus> members, IReadOnlyDictionary<int, int> lost)
    {
        var placed = members.Where(member => member.Attempt > lost[member.Index]).ToList();
        var hasStepped = placed.Any(IsStepping) || members.Any(member => member.State == MemberState.Completed);
        var isPlaced = placed.Any(member => member.State == MemberState.Training) || hasStepped;
        var isNoticed = members.Any(member => member.State != MemberState.Training) || isPlaced;
        return new Recovery
        {
            Answered = Answered ?? seconds, Noticed = First(Noticed, isNoticed), Placed = First(Placed, isPlaced), Stepped = First(Stepped, hasStepped),
        };

        double? First(double? before, bool isNow) => before ?? (isNow ? seconds : null);
    }

    /// <summary>It has made a step under its present attempt.</summary>
    public static bool IsStepping(MemberStatus member) => member is { State: MemberState.Training, StepsPerSecond: > 0 };

    public override string ToString() => $"answered {Answered:F2} s, noticed {Noticed:F2} s, placed {Placed:F2} s, stepped {Stepped:F2} s";
}

using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>What each member of a run takes to train; the same for the run's whole life.</summary>
internal sealed class MemberLoads : IEquatable<MemberLoads>
{
    private const double Alike = 1.1;

    private MemberLoads(ImmutableArray<MemberLoad> all)
    {
        All = all;
        var (least, most) = all.IsEmpty ? (0, 0) : (all.Min(CostOf), all.Max(CostOf));
        AreAlike = most <= Alike * least;
        Cost = all.Sum(CostOf);
    }

    public static MemberLoads None { get; } = new([]);

    public ImmutableArray<MemberLoad> All { get; }

    /// <summary>Whether no member takes much more than another: those of different folds differ by some rows.</summary>
    public bool AreAlike { get; }

    /// <summary>Of all members.</summary>
    public double Cost { get; }

    public MemberLoad this[int member] => All[member];

    public static MemberLoads Of(ImmutableArray<MemberLoad> all) => new(all);

    /// <summary>Members that take the same.</summary>
    public static MemberLoads Same(int members, MemberLoad load) => new([.. Enumerable.Repeat(load, members)]);

    /// <summary>The member's part of what all take.</summary>
    public double ShareOf(int member) => CostOf(All[member]) / Cost;

    public bool Equals(MemberLoads? other) => other is not null && (All == other.All || All.SequenceEqual(other.All));

    public override bool Equals(object? obj) => Equals(obj as MemberLoads);

    public override int GetHashCode() => HashCode.Combine(All.Length, Cost);

    private static double CostOf(MemberLoad load) => load.Steps * load.StepCost;
}

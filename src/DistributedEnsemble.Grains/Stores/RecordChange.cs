using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;

namespace DistributedEnsemble.Grains.Stores;

/// <summary>What one write adds to a record.</summary>
/// <param name="IsWhole">Whether nothing before it counts.</param>
/// <param name="State">The record without its members.</param>
/// <param name="Members">The members that have changed, each with the snapshots and folded hand-overs that are new.</param>
internal sealed record RecordChange(bool IsWhole, RunRecord State, int MemberCount, ImmutableArray<MemberRecord> Members)
{
    /// <param name="before">Null if the store has nothing that counts.</param>
    public static RecordChange Between(RunRecord? before, RunRecord after) =>
        new(before is null, after with { Members = MemberRecords.Empty }, after.Members.Count, [.. after.Members.Since(before?.Members)]);

    public RunRecord ApplyTo(RunRecord? before)
    {
        var members = IsWhole ? MemberRecords.New(MemberCount) : before!.Members;
        foreach (var member in Members) members = members.With(members[member.Index].Then(member));
        return State with { Members = members };
    }
}

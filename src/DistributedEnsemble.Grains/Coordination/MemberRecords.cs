using System.Collections;
using System.Runtime.CompilerServices;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>The members of a record. A change costs the same for ten members and for ten thousand; so does counting them.</summary>
[CollectionBuilder(typeof(MemberRecords), nameof(Of))]
internal sealed class MemberRecords : IReadOnlyList<MemberRecord>
{
    private readonly Chunks<MemberRecord> _members;
    private readonly int _firstWaiting;

    private MemberRecords(Chunks<MemberRecord> members, int waiting, int training, int unwritten, int firstWaiting) =>
        (_members, Waiting, Training, Unwritten, _firstWaiting) = (members, waiting, training, unwritten, firstWaiting);

    public static MemberRecords Empty { get; } = Of([]);

    public int Count => _members.Count;

    /// <summary>How many wait for a lane.</summary>
    public int Waiting { get; }

    /// <summary>How many are on a lane.</summary>
    public int Training { get; }

    /// <summary>How many have metric lines that may not be in their file yet.</summary>
    public int Unwritten { get; }

    public MemberRecord this[int index] => _members[index];

    public static MemberRecords Of(ReadOnlySpan<MemberRecord> members)
    {
        var chunks = Chunks<MemberRecord>.Of(members.ToArray());
        return new MemberRecords(
            chunks, chunks.Count(IsWaiting), chunks.Count(IsTraining), chunks.Count(IsUnwritten), 0);
    }

    /// <summary>Members that nothing has happened to.</summary>
    public static MemberRecords New(int count) => Of([.. Enumerable.Range(0, count).Select(index => new MemberRecord { Index = index })]);

    public MemberRecords With(MemberRecord member)
    {
        var before = _members[member.Index];
        return new MemberRecords(
            _members.With(member.Index, member),
            Waiting + Change(IsWaiting), Training + Change(IsTraining), Unwritten + Change(IsUnwritten),
            IsWaiting(member) ? Math.Min(_firstWaiting, member.Index) : _firstWaiting == member.Index ? member.Index + 1 : _firstWaiting);

        int Change(Func<MemberRecord, bool> counts) => (counts(member) ? 1 : 0) - (counts(before) ? 1 : 0);
    }

    /// <summary>Those that wait for a lane, in their order.</summary>
    public IEnumerable<MemberRecord> AllWaiting()
    {
        for (var (index, left) = (_firstWaiting, Waiting); left > 0; index++)
        {
            if (!IsWaiting(_members[index])) continue;
            left--;
            yield return _members[index];
        }
    }

    /// <summary>What each member has that it had not before; those without a change are left out.</summary>
    /// <param name="before">Null for all that they have.</param>
    public IEnumerable<MemberRecord> Since(MemberRecords? before)
    {
        if (before is null)
        {
            foreach (var member in _members)
            {
                if (member != new MemberRecord { Index = member.Index }) yield return member;
            }

            yield break;
        }

        foreach (var index in _members.MayDifferFrom(before._members))
        {
            if (!ReferenceEquals(_members[index], before._members[index])) yield return _members[index].Since(before._members[index]);
        }
    }

    public IEnumerator<MemberRecord> GetEnumerator() => _members.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsWaiting(MemberRecord member) => member.State == MemberState.Waiting;

    private static bool IsTraining(MemberRecord member) => member.State == MemberState.Training;

    private static bool IsUnwritten(MemberRecord member) => member.UnwrittenMetrics is not null;
}

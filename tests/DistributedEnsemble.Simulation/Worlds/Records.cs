using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>A record as a store keeps it: in parts that grow.</summary>
/// <param name="written">Is told of each record that comes to be the truth: by whom, before, after.</param>
internal abstract class Records(World world, Action<Process, RunRecord?, RunRecord> written)
{
    private long _writes;

    public RunRecord? Record => Read()?.Record;

    protected World World => world;

    protected Action<Process, RunRecord?, RunRecord> Written => written;

    public abstract StoredRun? Read();

    /// <param name="reaches">Whether it comes to the store; its word may be lost all the same.</param>
    public abstract void Write(Process by, Store store, WriteRecord write, RecordVersion version, bool reaches, Action<RecordVersion?, Exception?> done);

    public virtual void Restore()
    {
    }

    protected RecordVersion After(RecordVersion version) => version.Next($"w{++_writes}");

    /// <summary>What a store makes of its parts is what was written.</summary>
    protected static RunRecord Applied(RecordChange change, RunRecord? before, RunRecord written)
    {
        var after = change.ApplyTo(before);
        if (after.Members.Count != written.Members.Count || after with { Members = written.Members } != written) World.Never("the store makes another state of what was written");
        foreach (var member in written.Members)
        {
            var stored = after.Members[member.Index];
            if (ReferenceEquals(stored, member)) continue;
            var isSame = stored.Snapshots.SequenceEqual(member.Snapshots) && stored.Folded.SequenceEqual(member.Folded)
                && stored with { Snapshots = member.Snapshots, Folded = member.Folded } == member;
            if (!isSame) World.Never($"the store makes another member {member.Index} of what was written");
        }

        return after;
    }
}

/// <summary>A state that is replaced whole, and the log whose beginning it names.</summary>
internal sealed class FileRecords(World world, Action<Process, RunRecord?, RunRecord> written) : Records(world, written)
{
    private List<MemberRecord> _log = [];
    private (RecordVersion Version, RecordChange State, List<MemberRecord> Log, int Length)? _head;
    private StoredRun? _read;

    public override StoredRun? Read()
    {
        if (_head is not { } head) return null;
        return _read ??= new StoredRun((head.State with { IsWhole = true, Members = [.. head.Log.Take(head.Length)] }).ApplyTo(null), head.Version);
    }

    public override void Write(Process by, Store store, WriteRecord write, RecordVersion version, bool reaches, Action<RecordVersion?, Exception?> done)
    {
        if ((_head?.Version ?? RecordVersion.None) != version)
        {
            done(null, Faults.Conflict);
            return;
        }

        var (next, known) = (After(version), _head?.Length ?? 0);
        var change = RecordChange.Between(write.Before, write.Record);
        var log = change.IsWhole ? [] : _log;
        if (change.IsWhole) known = 0;
        else log.RemoveRange(known, log.Count - known);
        // A process that ends meanwhile, and a disk that is full, leave a part of it.
        log.AddRange(change.Members.Take(reaches ? change.Members.Length : World.Dice.Below(change.Members.Length + 1)));
        by.After(World.Dice.Between(0, 3), () =>
        {
            if (reaches)
            {
                var before = Read()?.Record;
                var after = Applied(change, before, write.Record);
                (_log, _head, _read) = (log, (next, change, log, known + change.Members.Length), null);
                Written(by, before, after);
            }

            done(next, null);
        });
    }
}

/// <summary>One step that compares and adds; and the copy in the run's folder, which may be behind.</summary>
internal sealed class RedisRecords(World world, Action<Process, RunRecord?, RunRecord> written) : Records(world, written)
{
    private readonly List<StoredRun> _past = [];
    private StoredRun? _stored, _copy;

    public override StoredRun? Read() => RecordVersion.Later(_stored, _copy);

    public override void Write(Process by, Store store, WriteRecord write, RecordVersion version, bool reaches, Action<RecordVersion?, Exception?> done)
    {
        if (!reaches)
        {
            done(null, null);
            return;
        }

        // One that lives on in the past would find its version there again, where the store has lost what came after.
        if ((_stored?.Version ?? RecordVersion.None) != version.Expected || _copy?.Version.Number > version.Number)
        {
            done(null, Faults.Conflict);
            return;
        }

        var next = After(version);
        var change = RecordChange.Between(version.Compared is null ? write.Before : null, write.Record);
        var before = Read()?.Record;
        var after = Applied(change, _stored?.Record, write.Record);
        _stored = new StoredRun(after, next);
        _past.Add(_stored);
        Written(by, before, after);
        by.After(World.Dice.Between(0, 3), () =>
        {
            var isLater = _copy is { } copy && copy.Version.Number > next.Number;
            if (!isLater && !store.IsDiskFull && !(World.IsWild && World.Dice.OneIn(100))) _copy = Copied(version, next, write);
            done(next, null);
        });
    }

    /// <summary>As far as its promises go: what it had not copied, nobody can bring back.</summary>
    public override void Restore()
    {
        if (_stored is null || _copy?.Version != _stored.Version) return;
        var earlier = World.Dice.Below(_past.Count + 1);
        World.Say($"the store comes back as it was {_past.Count - earlier} writes ago");
        _stored = earlier == _past.Count ? null : _past[earlier];
    }

    private StoredRun Copied(RecordVersion version, RecordVersion next, WriteRecord write)
    {
        var isNext = _copy is { } copy && (copy.Version.Number, copy.Version.Writer) == (version.Number, version.Writer);
        var change = RecordChange.Between(isNext ? write.Before : null, write.Record);
        return new StoredRun(Applied(change, _copy?.Record, write.Record), next);
    }
}

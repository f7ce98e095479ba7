using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>What is true of every record that is ever stored, and of everything that is said of it.</summary>
internal sealed class Laws(Course course)
{
    public void Written(RunRecord? before, RunRecord after, Store store)
    {
        if (before is { State: RunState.Completed or RunState.Degraded or RunState.Failed } && after.State != before.State) World.Never($"a run that is {before.State} becomes {after.State}");
        if (after.State == RunState.Failed && after.Reason?.StartsWith("every member", StringComparison.Ordinal) != true) World.Never($"the run fails: {after.Reason}");
        if (after.TrainSeconds < before?.TrainSeconds) World.Never($"the run has trained for {after.TrainSeconds} s, and for {before.TrainSeconds} before");
        if (!after.Exact || (before?.Machine is { } machine && machine != after.Machine)) World.Never("a run is inexact, or another machine's, where all machines are alike");
        foreach (var member in after.Members)
        {
            var known = before?.Members[member.Index];
            if (!ReferenceEquals(known, member)) Member(known, member, store);
        }

        if (after.State is RunState.Completed or RunState.Degraded && after.Members.Any(member => member.State is not (MemberState.Completed or MemberState.Failed)))
        {
            World.Never($"the run is {after.State}, and a member is not");
        }
    }

    public void Appended(RunRecord record, AppendMetrics append)
    {
        var before = (int)append.End - append.Lines.Length;
        if (append.End > record.Members[append.Member].MetricsLength) World.Never($"lines of member {append.Member} are written that the record does not have");
        if (string.CompareOrdinal(course.Lines[^1], before, append.Lines, 0, append.Lines.Length) != 0) World.Never($"lines of member {append.Member} are other lines");
    }

    /// <param name="files">All that the store has of the run.</param>
    /// <param name="breaks">How often whoever coordinates it forgot what was to follow.</param>
    public void Ended(RunRecord record, RunStatus? status, string[] metrics, Store store, IEnumerable<string> files, int breaks)
    {
        // An activation that ends leaves what it was about to delete, and an attempt what nobody has heard of.
        var named = record.Members.SelectMany(member => member.Files).Select(file => file.File).ToHashSet();
        var (unnamed, most) = (files.Count(file => !named.Contains(file)), (breaks * 5 * course.Members) + record.Members.Sum(member => 3 * member.Attempt));
        if (unnamed > most) World.Never($"{unnamed} files stay that the record does not name, after {breaks} activations");
        if (status is null || status.State != record.State) World.Never($"the run is {record.State}, and run.json says {status?.State}");
        foreach (var member in record.Members)
        {
            if (member.State == MemberState.Failed) continue;
            if (member.Pending is not null) World.Never($"a hand-over of member {member.Index} is still pending");
            if (course.Averaging is not null && member.Ema?.Step != course.End(member.Index)) World.Never($"the EMA model of member {member.Index} ends at step {member.Ema?.Step}");
            var (end, final) = (course.End(member.Index), course.Final(member.Index));
            if (metrics[member.Index] != course.Lines[end]) World.Never($"the metric lines of member {member.Index} are {metrics[member.Index].Length} bytes of {course.Lines[end].Length}");
            var expected = Enumerable.Range(1, end).Where(step => course.IsSnapshot(step) || step == final);
            if (!member.Snapshots.Select(snapshot => snapshot.Step).Order().SequenceEqual(expected)) World.Never($"the snapshots of member {member.Index} are not those of its spec");
        }

        foreach (var snapshot in record.Snapshots()) Named(snapshot, course.ShaAt(snapshot.Member, snapshot.Step), store);
    }

    private void Member(MemberRecord? before, MemberRecord after, Store store)
    {
        var index = after.Index;
        for (var i = 0; i < after.Snapshots.Length; i++)
        {
            var snapshot = after.Snapshots[i];
            if (snapshot.Member != index || after.Snapshots.Take(i).Any(other => other.Step == snapshot.Step)) World.Never($"the snapshot of member {snapshot.Member} at step {snapshot.Step} is another member's, or there twice");
            Named(snapshot, course.ShaAt(index, snapshot.Step), store);
        }

        if (after.State == MemberState.Completed && !after.Snapshots.Any(snapshot => snapshot.Step == after.FinalStep)) World.Never($"member {index} has ended, and the record does not name its final model");
        if (before is not null)
        {
            if (after.Snapshots.Length < before.Snapshots.Length) World.Never("a snapshot is lost");
            if (after.Attempt < before.Attempt || after.Step < before.Step) World.Never($"member {index} goes back from attempt {before.Attempt}, step {before.Step} to {after.Attempt}, {after.Step}");
            var isGiven = after.State == MemberState.Training && (before.State != MemberState.Training || before.SiloAddress != after.SiloAddress);
            if (isGiven && after.Attempt == before.Attempt) World.Never($"member {index} is given to {after.Silo} without another attempt");
            if (after.Checkpoints.Length > 2 || (after.Step > before.Step && after.State != MemberState.Completed && after.Checkpoints.Length < Math.Min(2, before.Checkpoints.Length + 1)))
                World.Never($"the record names {after.Checkpoints.Length} checkpoints of member {index}");
            if ((before.Ema?.Step ?? 0) > (after.Ema?.Step ?? 0)) World.Never($"the EMA model of member {index} goes back");
        }

        if (after.Step > course.End(index)) World.Never($"member {index} is at step {after.Step}, and its last is {course.End(index)}");
        if (after.State == MemberState.Completed && (after.Step, after.FinalStep) != (course.End(index), course.Final(index))) World.Never($"member {index} ends at step {after.Step} with the model of step {after.FinalStep}");
        if (after.MetricsLength != course.Lines[after.Step].Length) World.Never($"member {index} has {after.MetricsLength} bytes of metric lines at step {after.Step}");
        foreach (var checkpoint in after.Checkpoints) Named(checkpoint, course.ShaAt(index, checkpoint.Step), store);
        if (after.Checkpoints is [var newest, ..] && newest.Step != after.Step) World.Never($"member {index} is at step {after.Step}, and its checkpoint at {newest.Step}");
        if (after.Ema is { } model)
        {
            if (!course.IsAveraged(index, model.Step)) World.Never($"the EMA model of member {index} ends at step {model.Step}, where nothing is averaged");
            Named(model, course.AverageAt(index, model.Step), store);
        }

        if (after.Pending is { } pending)
        {
            if (pending.Step != course.NextAveraged(index, after.Ema?.Step ?? 0)) World.Never($"member {index} hands over step {pending.Step} after {after.Ema?.Step}");
            Named(pending, course.ShaAt(index, pending.Step), store);
        }
    }

    private static void Named(WeightFile file, string expected, Store store)
    {
        if (file.Sha256 != expected) World.Never($"{file.File} has other weights than undisturbed training");
        if (!store.Has(file)) World.Never($"the record names {file.File}, which is not there");
    }
}

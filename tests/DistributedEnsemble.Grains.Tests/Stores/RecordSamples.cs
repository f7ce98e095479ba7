using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>Records as a run may have them.</summary>
internal static class RecordSamples
{
    public static RunRecord New(int members = 3) => new()
    {
        State = RunState.Running, Spec = "{ \"name\": \"run\" }", Data = "{ \"columns\": \"\\n\" }", Loads = MemberLoads.Same(members, new MemberLoad(1000, 10)),
        Machine = new MachineInfo("cpu", "avx2", "2.10", 1), Members = MemberRecords.New(members),
    };

    public static WeightFile File(int member, int step) => new(member, step, RunFolder.Snapshot(member, step), $"{step:x64}");

    public static RunRecord WithSnapshot(this RunRecord record, int member, int step)
    {
        var before = record.Members[member];
        return record.With(before with { Snapshots = before.Snapshots.Add(File(member, step)) });
    }

    /// <summary>Everything that a member can have.</summary>
    public static RunRecord WithAll(this RunRecord record, int member, int step)
    {
        var before = record.Members[member].WithFolded(File(member, step));
        return record.With(before with
        {
            State = MemberState.Training, Attempt = before.Attempt + 1, Silo = "127.0.0.1:1", SiloAddress = "127.0.0.1:1@2", Step = step, Loss = 0.1 * step,
            Checkpoints = [File(member, step), File(member, step + 1)], MetricsLength = 7 * step, UnwrittenMetrics = "{\"step\":1}\n", Reason = "\"why\"",
            Ema = File(member, step + 2), Pending = File(member, step + 3), Snapshots = before.Snapshots.Add(File(member, step)),
        }) with { TrainSeconds = step, Reason = null };
    }

    public static void Same(RunRecord expected, RunRecord? found)
    {
        Assert.NotNull(found);
        Assert.Equal(expected with { Members = MemberRecords.Empty }, found with { Members = MemberRecords.Empty });
        Assert.Equal(expected.Members.Select(Text), found.Members.Select(Text));

        static string Text(MemberRecord member) => System.Text.Encoding.UTF8.GetString(RecordText.Of(member));
    }
}

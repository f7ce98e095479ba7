using System.Diagnostics;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class ProtocolTests
{
    private const string OtherSha = "0000000000000000000000000000000000000000000000000000000000000000";

    [Fact]
    public async Task A_hand_over_counts_once_and_only_from_the_current_attempt()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 1);
        var run = await cluster.SubmitAsync(Specs.Long);
        var member = (await cluster.WhenAsync(run, s => s.Members[0].State == MemberState.Training)).Members[0];
        var (coordinator, current) = (cluster.CoordinatorOfSilos(run), new MemberAttempt(0, member.Attempt));
        var weights = new WeightFile(0, 1, "members/00/snapshots/step-00000001.safetensors", OtherSha);

        Assert.Equal(Acknowledgement.Recorded, await coordinator.CollectAsync(new HandOver(current, weights, IsSnapshot: true, IsAveraged: false)));
        Assert.Equal(Acknowledgement.Recorded, await coordinator.CollectAsync(new HandOver(current, weights, IsSnapshot: true, IsAveraged: false)));
        Assert.Equal([weights], (await coordinator.GetStatusAsync()).Snapshots);

        foreach (var attempt in new[] { member.Attempt - 1, member.Attempt + 1 })
        {
            var stale = new HandOver(new MemberAttempt(0, attempt), weights with { Step = 2 }, IsSnapshot: true, IsAveraged: false);
            Assert.Equal(Acknowledgement.Superseded, await coordinator.CollectAsync(stale));
        }

        Assert.Equal([weights], (await coordinator.GetStatusAsync()).Snapshots);
        await coordinator.StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }

    [Fact]
    public async Task A_call_that_no_coordinator_can_take_pauses_the_run_which_goes_on_from_the_store()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 1);
        var run = await cluster.SubmitAsync(Specs.Long);
        var member = (await cluster.WhenAsync(run, s => s.Members[0].Step > 20)).Members[0];
        var ofNobody = new WeightFile(99, 1, "members/99/snapshots/step-00000001.safetensors", OtherSha);

        var error = await Assert.ThrowsAsync<OrleansException>(() => cluster.CoordinatorOfSilos(run).CollectAsync(
            new HandOver(new MemberAttempt(0, member.Attempt), ofNobody, IsSnapshot: true, IsAveraged: false)));

        Assert.StartsWith($"The coordinator of run \"{run.Name}\" failed: ", error.Message, StringComparison.Ordinal);
        var paused = await cluster.WhenAsync(run, s => s.State == RunState.Paused);
        Assert.StartsWith("its coordinator failed: ", paused.Reason, StringComparison.Ordinal);
        await cluster.ResumeAsync(run);
        await cluster.WhenAsync(run, s => s.Steps > paused.Steps);
        await cluster.Coordinator(run).StopAsync();
        Assert.Equal("stopped", (await cluster.WhenAsync(run, s => s.State == RunState.Paused)).Reason);
    }

    [Fact]
    public async Task A_lane_of_no_silo_takes_no_member()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 1, responseTimeout: TimeSpan.FromSeconds(60));
        var run = await cluster.SubmitAsync(Specs.Long);
        var running = await cluster.WhenAsync(run, s => s.Members[0].State == MemberState.Training);

        Assert.Empty(await cluster.CoordinatorOfSilos(run).AssignAsync(new LaneGrant("nowhere", "127.0.0.1:1", running.Machine!)));

        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }

    [Fact]
    public async Task Other_weights_at_the_same_step_stop_the_run()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 1);
        var run = await cluster.SubmitAsync(Specs.Long);
        var member = (await cluster.WhenAsync(run, s => s.Members[0].State == MemberState.Training)).Members[0];
        var by = new MemberAttempt(0, member.Attempt);
        var weights = new WeightFile(0, 1, "members/00/snapshots/step-00000001.safetensors", OtherSha);
        await cluster.CoordinatorOfSilos(run).CollectAsync(new HandOver(by, weights, IsSnapshot: true, IsAveraged: false));

        var answer = await cluster.CoordinatorOfSilos(run).CollectAsync(new HandOver(by, weights with { Sha256 = OtherSha.Replace('0', '1') }, IsSnapshot: true, IsAveraged: false));

        Assert.Equal(Acknowledgement.Superseded, answer);
        var status = await cluster.Coordinator(run).GetStatusAsync();
        Assert.Equal(RunState.Failed, status.State);
        Assert.StartsWith("not reproducible: member 0 came to step 1 twice", status.Reason);
        Assert.Equal([weights], status.Snapshots);
    }

    public static TheoryData<string> Resumed =>
    [
        Specs.Small.Replace("\"epochs\": 3", "\"epochs\": 600"),
        Specs.MixedClass.Replace("\"epochs\": 5", "\"epochs\": 2000"),
        Specs.MixedNumber.Replace("\"epochs\": 5", "\"epochs\": 2000"),
        Specs.TabMClass.Replace("\"epochs\": 5", "\"epochs\": 1000"),
        Specs.Spatial.Replace("\"epochs\": 2", "\"epochs\": 30"),
    ];

    [Theory, MemberData(nameof(Resumed))]
    public async Task A_run_that_is_stopped_and_resumed_ends_as_if_it_never_was(string spec)
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2);
        var run = await cluster.SubmitAsync(spec);
        await cluster.WhenAsync(run, s => s.Members[0].Step > 20);
        await cluster.Coordinator(run).StopAsync();
        var paused = await cluster.WhenAsync(run, s => s.State == RunState.Paused);
        Assert.InRange(paused.Steps, 1, paused.StepsTotal - 1);
        Assert.All(paused.Members, m => Assert.NotEqual(MemberState.Training, m.State));

        await cluster.ResumeAsync(run);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(RunState.Completed, status.State);
        Assert.Equal(Specs.Reference(spec), Specs.Of(status));
        var lines = File.ReadLines(cluster.Folder(run).Path("members/00/metrics.jsonl")).ToList();
        Assert.Equal(lines.Distinct(), lines);
    }

    [Fact]
    public async Task Who_asks_for_a_runs_status_takes_nothing_from_what_run_json_shows()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Long);
        await cluster.WhenAsync(run, s => s.Steps > 0);

        var shown = new HashSet<long>();
        for (var since = Stopwatch.StartNew(); shown.Count < 5; shown.Add(Shown().Steps))
        {
            await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => cluster.Coordinator(run).GetStatusAsync()));
            Assert.True(since.Elapsed < TimeSpan.FromMinutes(2), $"run.json showed no steps but {string.Join(", ", shown)}.");
        }

        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);

        RunStatus Shown() => RunStatusJson.FromJson(File.ReadAllText(cluster.Folder(run).Status));
    }

    [Fact]
    public async Task A_member_that_cannot_train_fails_with_the_step_and_the_likely_reason()
    {
        await using var cluster = await EnsembleCluster.StartAsync();

        // Each update multiplies the weights by 1 − 2·1·1000.
        var status = await cluster.TrainAsync(Specs.Small.Replace("0.05", "1000").Replace("\"l2\": 1e-4", "\"l2\": 1"));

        Assert.Equal(RunState.Failed, status.State);
        Assert.All(status.Members, m => Assert.Matches(
            $@"^the loss of member {m.Index} is (NaN|∞|Infinity) at step \d+: most likely the learning rate, [\d.E+]+ there, is too high$", m.Reason));
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_and_leaves_the_old_run_alone()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Small);
        await cluster.WhenAsync(run, s => s.HasEnded);
        var before = File.ReadAllText(cluster.Folder(run).Status);

        var error = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync(Specs.Small));

        Assert.Equal(
            $"Run \"small\" already exists in {cluster.RunsFolder}.", error.Message);
        Assert.Equal((RunRemedy.ResumeOrRename, "small"), (error.Remedy, error.Run));
        Assert.Equal(before, File.ReadAllText(cluster.Folder(run).Status));
    }

    [Fact]
    public async Task A_spec_that_cannot_be_trained_leaves_no_folder()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2);

        var error = await Assert.ThrowsAsync<RunRejectedException>(
            () => cluster.SubmitAsync(Specs.Small.Replace("\"members\": 6", "\"members\": 6, \"threadsPerMember\": 3")));

        Assert.Equal(
            "threadsPerMember is 3: no silo has more than 2 lanes. Take fewer threads, or start silos with more lanes.", error.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cluster.RunsFolder));
    }
}

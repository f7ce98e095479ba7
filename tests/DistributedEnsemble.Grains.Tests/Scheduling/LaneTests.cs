namespace DistributedEnsemble.Grains.Tests.Scheduling;

public sealed class LaneTests
{
    [Fact]
    public async Task Grain_calls_are_answered_while_every_lane_trains()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: Environment.ProcessorCount + 1);
        var run = await cluster.SubmitAsync(Specs.Long);
        bool AllTrain(RunStatus s) => s.Members.Count(m => m is { State: MemberState.Training, Step: > 0 }) == Environment.ProcessorCount + 1;
        await cluster.WhenAsync(run, AllTrain);

        for (var call = 0; call < 500; call++) await cluster.Scheduler.FindAsync("nobody");

        // Had a lane held a grain's turn or thread, 500 answers would not have come before the training ended.
        Assert.True(AllTrain(await cluster.Coordinator(run).GetStatusAsync()));
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }

    [Fact]
    public async Task Two_runs_share_the_lanes()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, lanes: 2);
        var first = await cluster.SubmitAsync(Specs.Long);
        await cluster.WhenAsync(first, s => s.Members.Count(m => m.State == MemberState.Training) == 4);
        var second = await cluster.SubmitAsync(Specs.Small.Replace("\"small\"", "\"second\""));

        await cluster.Coordinator(first).StopAsync();
        await cluster.WhenAsync(first, s => s.State == RunState.Paused);
        var status = await cluster.WhenAsync(second, s => s.HasEnded);

        Assert.Equal(Specs.Reference(Specs.Small), Specs.Of(status));
    }

    [Fact]
    public async Task A_member_with_two_threads_takes_two_lanes()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: 3);
        var run = await cluster.SubmitAsync(Specs.Long.Replace("\"members\": 6", "\"members\": 6, \"threadsPerMember\": 2"));

        var status = await cluster.WhenAsync(run, s => s.Members[0] is { State: MemberState.Training, Step: > 100 });

        Assert.Single(status.Members, m => m.State == MemberState.Training);
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }
}

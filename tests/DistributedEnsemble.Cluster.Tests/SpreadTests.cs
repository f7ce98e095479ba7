using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>Where members train, as silos come and go.</summary>
public sealed class SpreadTests
{
    [Fact]
    public async Task Six_members_on_three_silos_of_one_lane_train_one_at_a_time_on_each_and_are_two_each_in_the_end()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 3);
        await using var driver = cluster.Drive("train", cluster.SpecFile(Specs.Of("spread", members: 6, epochs: 400)));

        await cluster.WhenAsync("spread", run => TrainingOn(run).Count() == 3);
        // While it is asked, a member may end, and the next has not begun.
        await Until.AsksAsync(async () =>
        {
            var told = RunStatusJson.FromJson(await cluster.RunAsync("status", "spread", "--json"));
            Assert.False(told.HasEnded);
            return TrainingOn(told).Order().SequenceEqual(cluster.Silos.Select(silo => silo.Endpoint!).Order()) ? "" : null;
        });
        var end = await cluster.WhenAsync("spread", run =>
        {
            Assert.Equal(TrainingOn(run).Distinct(), TrainingOn(run));
            return run.HasEnded;
        });

        Assert.Equal([2, 2, 2], end.Members.GroupBy(member => member.Silo).Select(silo => silo.Count()));
        await cluster.EndsAsync(driver);
    }

    [Fact]
    public async Task Two_runs_at_once_share_the_lanes()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        // Far more members than can have trained until the second run is there: each leaves a lane soon.
        await using var first = cluster.Drive("train", cluster.SpecFile(Specs.Of("first", members: 200, epochs: 20)));
        await cluster.WhenAsync("first", run => TrainingOn(run).Count() == 2);
        await using var second = cluster.Drive("train", cluster.SpecFile(Specs.Of("second", members: 4, epochs: 20000)));

        // The first lane that is free goes to the run that has none, and the other stays the first run's.
        await cluster.WhenAsync("second", run => TrainingOn(run).Any());
        await cluster.WhenAsync("first", run => TrainingOn(run).Any());
        Assert.Contains(cluster.Read("first")!.Members, member => member.State == MemberState.Waiting);

        await cluster.RunAsync("stop", "first");
        await cluster.RunAsync("stop", "second");
    }

    [Fact]
    public async Task A_silo_that_joins_gets_what_waits_at_once()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        await using var driver = cluster.Drive("train", cluster.SpecFile(Specs.Of("waiting", members: 2, epochs: 20000)));
        var before = await cluster.WhenAsync("waiting", run => run.Members.Any(member => member is { State: MemberState.Training, Step: > 0 }));
        Assert.Contains(before.Members, member => member.State == MemberState.Waiting);

        await cluster.AddSiloAsync();

        await cluster.WhenAsync("waiting", run => TrainingOn(run).Order().SequenceEqual(cluster.Silos.Select(silo => silo.Endpoint).Order()));
        await cluster.RunAsync("stop", "waiting");
        await cluster.WhenAsync("waiting", run => run.State == RunState.Paused);
    }

    [Fact]
    public async Task A_silo_that_joins_takes_a_running_member_over_when_that_evens_the_load_and_the_weights_stay_the_same()
    {
        var spec = Specs.Of("evened", members: 2, epochs: 2000);
        await using var cluster = await LocalCluster.StartAsync(silos: 1, lanes: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("evened", run => run.Members.All(member => member is { State: MemberState.Training, Step: > 0 }));

        await cluster.AddSiloAsync(lanes: 2);

        await cluster.WhenAsync("evened", run => TrainingOn(run).Distinct().Count() == 2);
        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }

    private static IEnumerable<string> TrainingOn(RunStatus run) => run.Members.Where(IsTraining).Select(member => member.Silo!);

    private static bool IsTraining(MemberStatus member) => member.State == MemberState.Training;
}

using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests.Failures;

public sealed class KillTests
{
    [Fact(Timeout = 300_000)]
    public async Task Silos_killed_one_after_another_down_to_one_change_nothing()
    {
        var spec = Specs.Of("killed", epochs: 1500);
        await using var cluster = await LocalCluster.StartAsync(silos: 3);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec), "--json");
        await cluster.WhenAsync("killed", run => run.Members.All(member => member.Step > 20));

        // The first silo has the scheduler, as a rule.
        await cluster.Silos[0].KillAsync();
        var atKill = cluster.Read("killed")!;
        await cluster.WhenAsync("killed", run => run.Steps > atKill.Steps && run.Members.All(member => member.Silo != cluster.Silos[0].Endpoint || member.State == MemberState.Completed));
        await cluster.Silos[1].KillAsync();

        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }

    [Fact(Timeout = 300_000)]
    public async Task Members_that_stop_early_stop_at_the_same_step_when_their_silo_is_killed_before()
    {
        var spec = Specs.Stopping("stops-early", patience: 200);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await LosesASiloAsync(cluster, "stops-early", spec, run => run.Members.All(member => member.Step > 1500));
        Assert.All(cluster.Read("stops-early")!.Members, member => Assert.InRange(member.FinalStep!.Value, 20, member.Step - 200 * 20));
    }

    /// <summary>Numbers and times that rows lack, categories with an input for each level and with a vector for each, and a target with an error of its own.</summary>
    [Fact(Timeout = 300_000)]
    public async Task A_silo_that_is_killed_changes_nothing_of_a_regression_on_a_table_of_mixed_columns()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        var table = cluster.OwnFile("houses.csv", "area,day,town,street,target\n" + string.Concat(Enumerable.Range(0, 200).Select(i =>
            $"{(i % 9 == 4 ? "" : $"{20 + (i * i % 97)}")},{(i % 11 == 2 ? "" : $"20{10 + (i % 14)}-{1 + (i % 12):00}-{1 + (i % 28):00}")},"
            + $"{(i % 13 == 5 ? "" : (i % 3) switch { 0 => "york", 1 => "bath", _ => "hull" })},s{i * 7 % 23},{1000.5 + (9 * (i * i % 97)) + (20 * (i % 3))}\n")));
        var spec = Specs.OnTable("houses", table, epochs: 3000);
        await LosesASiloAsync(cluster, "houses", spec, run => run.Members.Count(member => member is { State: MemberState.Training, Step: > 500 }) >= 2);
    }

    [Fact(Timeout = 300_000)]
    public async Task Members_that_differ_end_with_the_same_bytes_when_their_silo_is_killed()
    {
        var spec = Specs.Different("different", epochs: 800);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await LosesASiloAsync(cluster, "different", spec, run => run.Members.All(member => member.Step > 200));
        Assert.Equal(3, cluster.Read("different")!.Members.Select(member => member.StepsTotal).Distinct().Count());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_cluster_that_was_killed_whole_goes_on_by_itself_when_it_starts_again()
    {
        var spec = Specs.Of("restarted", epochs: 400);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("restarted", run => run.Members.Count(member => member.Step > 100) >= 2);

        await driver.KillAsync();
        foreach (var silo in cluster.Silos) await silo.KillAsync();
        await cluster.Redis.KillAsync();
        await cluster.Redis.StartAsync();
        await cluster.AddSiloAsync();
        await cluster.AddSiloAsync();

        await cluster.WhenAsync("restarted", run => run.HasEnded);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_silo_that_slept_while_its_members_went_on_elsewhere_changes_nothing_and_ends_with_4()
    {
        var spec = Specs.Of("slept", members: 2, epochs: 800);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        var before = await cluster.WhenAsync("slept", AllTrain);

        var sleeper = cluster.SiloOf(before.Members.MinBy(member => member.Step)!);
        sleeper.Pause();
        await cluster.WhenAsync("slept", run => run.Members.All(member => member.Silo != sleeper.Endpoint));
        sleeper.Continue();

        Assert.Equal(4, await sleeper.ExitAsync());
        Assert.Single(sleeper.Errors.TrimEnd('\n').Split('\n'));
        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_silo_that_is_asked_to_end_hands_its_members_over()
    {
        var spec = Specs.Of("handed-over", members: 2, epochs: 800);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        var before = await cluster.WhenAsync("handed-over", AllTrain);

        var leaver = cluster.SiloOf(before.Members.MinBy(member => member.Step)!);
        leaver.Terminate();

        Assert.Equal(0, await leaver.ExitAsync());
        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
        Assert.All(cluster.Read("handed-over")!.Members, member => Assert.NotEqual(leaver.Endpoint, member.Silo));
    }

    [Fact(Timeout = 300_000)]
    public async Task Silos_that_are_asked_to_end_do_not_wait_for_a_redis_that_is_gone()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(Specs.Of("redis-gone", members: 2, epochs: 20000)));
        await cluster.WhenAsync("redis-gone", AllTrain);

        await cluster.Redis.KillAsync();
        foreach (var silo in cluster.Silos) silo.Terminate();

        foreach (var silo in cluster.Silos)
        {
            Assert.Equal(0, await silo.ExitAsync());
            Assert.Contains("Redis has not answered for 5 s: this silo ends as it is, and the others miss it within seconds.\n", silo.Errors);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Redis_away_for_a_while_stops_nothing_for_good()
    {
        var spec = Specs.Of("redis-away", members: 2, epochs: 800);
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("redis-away", AllTrain);

        await cluster.Redis.KillAsync();
        await cluster.UntilAsync(
            "the absence of Redis is noticed", () => cluster.Said().Contains("the record could not be written", StringComparison.Ordinal) ? "" : null);
        Assert.False(cluster.Read("redis-away")!.HasEnded);
        await cluster.Redis.StartAsync();

        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }

    private static bool AllTrain(RunStatus run) => run.Members.All(member => member is { State: MemberState.Training, Step: > 0 });

    /// <summary>Kills the first silo when the condition holds: what comes out is what an undisturbed run gives.</summary>
    private static async Task LosesASiloAsync(LocalCluster cluster, string name, string spec, Func<RunStatus, bool> when)
    {
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec), "--json");
        await cluster.WhenAsync(name, when);

        await cluster.Silos[0].KillAsync();

        await cluster.EndsAsync(driver);
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }
}

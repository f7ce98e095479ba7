using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

/// <summary>What others say of silos.</summary>
public sealed class ReportTests
{
    private static readonly MachineInfo s_machine = new("cpu", "avx2", "2.10");

    [Theory, InlineData("garbage"), InlineData("S127.0.0.1:1:1"), InlineData("")]
    public async Task A_report_from_elsewhere_is_refused_and_nobody_else_suffers(string silo)
    {
        await using var cluster = await EnsembleCluster.StartAsync();

        var refused = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.Scheduler.AnnounceAsync(new SiloReport(silo, "127.0.0.1:1", 100, s_machine, [], [], [], [])));
        var status = await cluster.TrainAsync("""{ "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");

        Assert.Equal("A silo reports of itself alone.", refused.Message);
        Assert.Equal(RunState.Completed, status.State);
    }

    [Theory]
    [InlineData("127.0.0.1:11111@123", true)]
    [InlineData("127.0.0.1:11111@12", false)]
    [InlineData("127.0.0.1:11111@1234", false)]
    [InlineData("27.0.0.1:11111@123", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_silo_is_known_by_the_whole_of_its_address(string? silo, bool isOwn) => Assert.Equal(
        isOwn, SiloReports.IsOf(new SiloReport(silo!, "127.0.0.1:11111", 1, s_machine, [], [], [], []), GrainId.Create("sys.client", "hosted-127.0.0.1:11111@123")));

    [Fact]
    public void Nobody_else_is_a_silo() => Assert.All(
        new GrainId?[] { null, GrainId.Create("sys.client", "127.0.0.1:11111@123"), GrainId.Create("member", "hosted-127.0.0.1:11111@123") },
        source => Assert.False(SiloReports.IsOf(new SiloReport("127.0.0.1:11111@123", "127.0.0.1:11111", 1, s_machine, [], [], [], []), source)));

    [Fact]
    public async Task What_silos_tell_each_other_no_client_may_say()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var status = await cluster.TrainAsync("""{ "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");
        var (run, by) = (new RunKey(status.Run, status.Id), new MemberAttempt(0, 1));
        var (coordinator, member, weights) = (cluster.Coordinator(run), cluster.MemberOfClients(run, 0), new WeightFile(0, 1, "../../other", new string('0', 64)));
        foreach (var (call, name) in new (Func<Task>, string)[]
        {
            (() => coordinator.StartAsync(new RunRequest("{}", "{}", [])), "ICoordinator.StartAsync"),
            (() => coordinator.VacateAsync(), "ICoordinator.VacateAsync"),
            (() => coordinator.AssignAsync(new LaneGrant("nowhere", "127.0.0.1:1", s_machine)), "ICoordinator.AssignAsync"),
            (() => coordinator.MoveAsync(by), "ICoordinator.MoveAsync"),
            (() => coordinator.CollectAsync(new HandOver(by, weights, IsSnapshot: true, IsAveraged: false)), "ICoordinator.CollectAsync"),
            (() => coordinator.CommitAsync(new Commit(by, 1, weights, "", 1)), "ICoordinator.CommitAsync"),
            (() => coordinator.FailAsync(new MemberFailure(by, 1, "I say so")), "ICoordinator.FailAsync"),
            (() => coordinator.ReleaseAsync(by), "ICoordinator.ReleaseAsync"),
            (() => coordinator.PauseAsync(by, "I say so"), "ICoordinator.PauseAsync"),
            (() => coordinator.ResumeAsync(), "ICoordinator.ResumeAsync"),
            (() => member.TrainAsync(new Assignment(by, [])), "IMember.TrainAsync"),
            (() => member.StopAsync(1), "IMember.StopAsync"),
            (() => member.PredictAsync(new ConstituentQuery([weights], 0, [], null, 0, 0), TestContext.Current.CancellationToken), "IMember.PredictAsync"),
        })
        {
            Assert.Equal($"{name} is for silos alone.", (await Assert.ThrowsAsync<RunRejectedException>(call)).Message);
        }

        Assert.Equal(RunState.Completed, (await coordinator.GetStatusAsync()).State);
    }

    [Theory, InlineData("/etc/passwd"), InlineData("../x.csv"), InlineData("x.csv")]
    public async Task A_silo_reads_no_path_that_was_sent(string path)
    {
        await using var cluster = await EnsembleCluster.StartAsync();

        var refused = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync($$"""{ "data": { "dataset": "{{path}}" } }"""));

        Assert.StartsWith($"There is no dataset {path} on the silos of this cluster, and they read no other files: known are digits, ", refused.Message);
    }

    [Fact]
    public async Task Asking_for_runs_that_are_not_there_keeps_no_coordinators()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            var nobody = cluster.Coordinator(RunKey.New("nobody"));
            await Assert.ThrowsAsync<RunRejectedException>(nobody.GetStatusAsync);
            await nobody.StopAsync();
        }

        while (await cluster.CountAsync("coordinator") > 0) await Task.Delay(20, TestContext.Current.CancellationToken);
    }
}

using DistributedEnsemble.Grains.Scheduling;
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

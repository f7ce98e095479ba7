using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Exactness;

public sealed class EarlyStoppingTests
{
    private static readonly Lazy<List<(int Member, int Step, string Sha256)>> s_reference = new(() => Specs.Reference(Specs.Stopping));
    private static readonly Lazy<List<(int Member, int Step, string Sha256)>> s_ema = new(() => Specs.ReferenceEma(Specs.Stopping));

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 1)]
    public async Task Members_that_stop_early_end_as_the_sequential_reference_does(int silos, int lanes)
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos, lanes);

        var run = await cluster.SubmitAsync(Specs.Stopping);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        IsAsTheReference(status);
        Assert.Equal(Specs.ReferenceLines(Specs.Stopping, 3), File.ReadAllText(cluster.Folder(run).Path(RunFolder.Metrics(3))));
    }

    [Fact]
    public async Task A_run_that_is_stopped_and_resumed_stops_at_the_same_steps_with_the_same_models()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2);
        var run = await cluster.SubmitAsync(Specs.Stopping);
        for (var stops = 1; stops <= 4; stops++)
        {
            var steps = 60 * stops;
            if ((await cluster.WhenAsync(run, s => s.Steps > steps || s.HasEnded)).HasEnded) break;
            await cluster.Coordinator(run).StopAsync();
            if ((await cluster.WhenAsync(run, s => s.State == RunState.Paused || s.HasEnded)).HasEnded) break;
            await cluster.ResumeAsync(run);
        }

        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Contains(status.Members, member => member.Attempt > 1);
        IsAsTheReference(status);
    }

    [Fact]
    public async Task Predictions_from_final_models_average_the_best_of_each_member()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2);
        var run = await cluster.SubmitAsync(Specs.Stopping);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        var report = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);

        Assert.Equal(status.Members.Select(member => (member.Index, member.FinalStep!.Value)), report.Weights.Select(file => (file.Member, file.Step)));
    }

    private static void IsAsTheReference(RunStatus status)
    {
        Assert.Equal(RunState.Completed, status.State);
        Assert.Equal(s_reference.Value, Specs.Of(status));
        Assert.Equal(s_ema.Value, status.Ema.Select(e => (e.Member, e.Step, e.Sha256)));
        // An EMA model is that of a member's real end.
        Assert.Equal(s_ema.Value.Select(e => e.Step), status.Members.Select(member => member.Step));
        Assert.Equal((status.Steps, status.Steps), (status.StepsTotal, status.Members.Sum(member => (long)member.Step)));
        Assert.True(status.Members.Select(member => member.Step).Distinct().Count() > 1, "All members stop at the same step.");
        Assert.All(status.Members, member => Assert.Equal(member.Step - 4 * 6, member.FinalStep));
    }
}

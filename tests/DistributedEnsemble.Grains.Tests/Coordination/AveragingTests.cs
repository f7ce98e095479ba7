using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class AveragingTests
{
    private static readonly string Averaged = Specs.Small.Replace(
        "\"snapshots\"", "\"averaging\": { \"decay\": 0.98, \"everySteps\": 4 }, \"snapshots\"");

    [Theory]
    [InlineData(1, 2, "")]
    [InlineData(3, 1, "")]
    [InlineData(2, 1, """, "reset": "cycle" """)]
    public async Task The_ema_models_equal_the_sequential_reference(int silos, int lanes, string more)
    {
        var spec = Averaged.Replace("\"everySteps\": 4", $"\"everySteps\": 4{more}");
        if (more.Length > 0) spec = spec.Replace("\"learningRate\": 0.05", "\"kind\": \"cyclic-cosine\", \"learningRate\": 0.05");
        await using var cluster = await EnsembleCluster.StartAsync(silos, lanes);

        var run = await cluster.SubmitAsync(spec);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(RunState.Completed, status.State);
        Assert.Equal(Specs.Reference(spec), Specs.Of(status));
        Assert.Equal(Specs.ReferenceEma(spec), status.Ema.Select(e => (e.Member, e.Step, e.Sha256)));
        AssertOnlyNamedWeights(cluster.Folder(run), status);
    }

    [Fact]
    public async Task The_running_statistics_of_batch_norm_are_averaged_as_the_weights_are()
    {
        var spec = Averaged.Replace("\"hidden\": [33]", "\"depth\": 8, \"width\": 4").Replace("\"members\": 6", "\"members\": 2");
        Assert.True(Specs.Plan(spec).Of(0).Network.Layout.StatisticCount > 0);
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2);

        var run = await cluster.SubmitAsync(spec);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(Specs.ReferenceEma(spec), status.Ema.Select(e => (e.Member, e.Step, e.Sha256)));
    }

    [Fact]
    public async Task A_run_that_is_stopped_and_resumed_has_the_ema_models_of_one_that_never_was()
    {
        var spec = Averaged.Replace("\"epochs\": 3", "\"epochs\": 12");
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2);
        var run = await cluster.SubmitAsync(spec);
        for (var stops = 1; stops <= 3; stops++)
        {
            var steps = 15 * stops;
            await cluster.WhenAsync(run, s => s.Members.Any(m => m.Step > steps) || s.HasEnded);
            await cluster.Coordinator(run).StopAsync();
            await cluster.WhenAsync(run, s => s.State == RunState.Paused);
            await cluster.ResumeAsync(run);
        }

        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(Specs.ReferenceEma(spec), status.Ema.Select(e => (e.Member, e.Step, e.Sha256)));
        AssertOnlyNamedWeights(cluster.Folder(run), status);
    }

    [Fact]
    public async Task A_hand_over_is_folded_once_and_not_out_of_order()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 1);
        var run = await cluster.SubmitAsync(Specs.Long.Replace("\"snapshots\"", "\"averaging\": { \"decay\": 1, \"everySteps\": 100000 }, \"snapshots\""));
        var member = (await cluster.WhenAsync(run, s => s.Members[0].State == MemberState.Training)).Members[0];
        var (coordinator, by) = (cluster.CoordinatorOfSilos(run), new MemberAttempt(0, member.Attempt));
        var layout = Specs.Plan(Specs.Small).Of(0).Network.Layout;
        var first = Save(1f, 100_000);
        var second = Save(3f, 200_000);

        foreach (var _ in new[] { 1, 2 }) Assert.Equal(Acknowledgement.Recorded, await coordinator.CollectAsync(new HandOver(by, first, IsSnapshot: false, IsAveraged: true)));
        foreach (var _ in new[] { 1, 2 }) Assert.Equal(Acknowledgement.Recorded, await coordinator.CollectAsync(new HandOver(by, second, IsSnapshot: false, IsAveraged: true)));
        // Once more, as a member brings it that continues from the checkpoint before: its file is written again, too.
        Assert.Equal(Acknowledgement.Recorded, await coordinator.CollectAsync(new HandOver(by, Save(1f, 100_000), IsSnapshot: false, IsAveraged: true)));
        Assert.Equal(Acknowledgement.Superseded, await coordinator.CollectAsync(new HandOver(by with { Attempt = 99 }, Save(7f, 300_000), IsSnapshot: false, IsAveraged: true)));

        var status = await coordinator.GetStatusAsync();
        var ema = Assert.Single(status.Ema);
        Assert.Equal(200_000, ema.Step);
        using var weights = WeightFiles.LoadWeights(cluster.Folder(run), ema, layout);
        Assert.All(weights.Values(layout.Tensors[0]).ToArray(), value => Assert.Equal(2f, value));
        Assert.False(File.Exists(cluster.Folder(run).Path(first.File)));
        await coordinator.StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);

        WeightFile Save(float value, int step)
        {
            using var weights = new Weights(layout);
            foreach (var place in layout.Tensors) weights.Values(place).Fill(value);
            return WeightFiles.SaveHandOver(cluster.Folder(run), run, by, step, weights);
        }
    }

    private static void AssertOnlyNamedWeights(RunFolder folder, RunStatus status)
    {
        var files = Directory.EnumerateFiles(folder.Root, "*.safetensors", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder.Root, path)).Order(StringComparer.Ordinal);
        Assert.Equal(status.Snapshots.Concat(status.Ema).Select(file => file.File).Order(StringComparer.Ordinal), files);
    }
}

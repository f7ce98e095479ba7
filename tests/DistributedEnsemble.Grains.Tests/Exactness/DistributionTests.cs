using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Exactness;

public sealed class DistributionTests
{
    private static readonly Dictionary<string, Lazy<List<(int Member, int Step, string Sha256)>>> References = new[] { Specs.Small, Specs.Number, Specs.MixedClass, Specs.MixedNumber, Specs.TabMClass, Specs.TabMNumber, Specs.Different, Specs.Spatial }
        .ToDictionary(spec => spec, spec => new Lazy<List<(int Member, int Step, string Sha256)>>(() => Specs.Reference(spec)));

    [Theory]
    [InlineData(Specs.Small, 1, 1)]
    [InlineData(Specs.Small, 1, 2)]
    [InlineData(Specs.Small, 3, 1)]
    [InlineData(Specs.Number, 1, 1)]
    [InlineData(Specs.Number, 3, 1)]
    [InlineData(Specs.Spatial, 1, 2)]
    [InlineData(Specs.Spatial, 3, 1)]
    public async Task A_run_through_grains_equals_the_sequential_reference(string spec, int silos, int lanes)
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos, lanes);

        var status = await cluster.TrainAsync(spec);

        Assert.Equal(RunState.Completed, status.State);
        Assert.Equal(References[spec].Value, Specs.Of(status));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 1)]
    public async Task A_table_of_columns_of_each_kind_trains_to_the_sequential_reference(int silos, int lanes)
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos, lanes);

        foreach (var spec in new[] { Specs.MixedClass, Specs.MixedNumber, Specs.TabMClass, Specs.TabMNumber })
        {
            var status = await cluster.TrainAsync(spec);

            Assert.Equal(RunState.Completed, status.State);
            Assert.Equal(References[spec].Value, Specs.Of(status));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 1)]
    public async Task Members_that_differ_train_to_the_sequential_reference_and_are_measured_on_rows_that_they_did_not_see(int silos, int lanes)
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos, lanes);

        var run = await cluster.SubmitAsync(Specs.Different);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);
        var report = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(new ConstituentChoice(Select: "greedy")), TestContext.Current.CancellationToken);
        var page = await cluster.Aggregator(run).PredictOutOfFoldAsync(new OutOfFoldRequest(), TestContext.Current.CancellationToken);

        Assert.Equal(RunState.Completed, status.State);
        Assert.Equal(References[Specs.Different].Value, Specs.Of(status));
        var plan = Specs.Plan(Specs.Different);
        Assert.Equal(plan.Members.Select(member => member.Steps), status.Members.Select(member => member.StepsTotal));
        Assert.Equal(plan.Members.Sum(member => member.Steps), status.StepsTotal);
        Assert.Equal(5, status.Ema.Length);
        Assert.True(report.Validation is { OutOfFold: true } validation && validation.Rows == page.Rows);
        Assert.Equal(page.Rows, page.Values[0].Integers.Length);
    }

    [Fact]
    public void A_member_trained_alone_equals_itself_among_others() =>
        Assert.Equal(References[Specs.Small].Value.Where(s => s.Member == 5), Specs.Reference(Specs.Small, [5]));

    [Fact]
    public async Task A_run_on_a_shifted_heap_equals_the_reference()
    {
        var ballast = Enumerable.Range(1, 2000).Select(i => new byte[(i * 37 % 5000) + 1]).ToList();
        GC.Collect();
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: 2);

        var status = await cluster.TrainAsync(Specs.Small);

        GC.KeepAlive(ballast);
        Assert.Equal(References[Specs.Small].Value, Specs.Of(status));
    }

    [Fact]
    public async Task The_lanes_of_three_silos_all_train()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 3, lanes: 1);

        var run = await cluster.SubmitAsync(Specs.Long);
        var status = await cluster.WhenAsync(run, s => s.Members.Count(m => m is { State: MemberState.Training, Step: > 0 }) == 3);

        Assert.Equal(3, status.Members.Where(m => m.State == MemberState.Training).Select(m => m.Silo).Distinct().Count());
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }

    [Fact]
    public async Task The_files_hold_what_the_record_names()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Small);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        var (folder, plan) = (cluster.Folder(run), Specs.Plan(Specs.Small));
        foreach (var file in status.Snapshots)
        {
            using var weights = WeightFiles.LoadWeights(folder, file, plan.Of(0).Network.Layout);
            Assert.Equal(file.Sha256, weights.Sha256());
        }

        // The projection is written before the scheduler hears of the end.
        Assert.Equal(RunStatusJson.ToJson(status), File.ReadAllText(folder.Status));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(folder.Root, "*", SearchOption.AllDirectories), path => path.Contains("checkpoint") || path.Contains(".tmp"));
    }

    [Theory]
    [InlineData(Specs.Small)]
    [InlineData(Specs.Number)]
    public async Task Metric_lines_are_those_of_the_reference_each_once(string spec)
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(spec);
        await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(Specs.ReferenceLines(spec, 3), File.ReadAllText(cluster.Folder(run).Path(RunFolder.Metrics(3))));
    }
}

using DistributedEnsemble.Predictions;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class SelectionTests
{
    private static readonly ConstituentChoice s_greedy = new(PredictionSource.Snapshots, "greedy");

    /// <summary>Long enough for the members to differ in what they are right about.</summary>
    private static readonly string s_trained = Specs.Small.Replace("\"epochs\": 3", "\"epochs\": 20")
        .Replace("\"learningRate\": 0.05", "\"learningRate\": 0.3").Replace("\"rate\": 0.3, \"inputRate\": 0.1", "\"rate\": 0");

    [Fact]
    public async Task What_the_validation_split_says_is_stored_with_the_run_and_read_again()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Small);
        await cluster.WhenAsync(run, s => s.HasEnded);

        var first = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(s_greedy), TestContext.Current.CancellationToken);
        var file = Assert.Single(Directory.GetFiles(Path.Combine(cluster.Folder(run).Root, "validation")));
        var text = File.ReadAllText(file);
        File.WriteAllText(file, text.Replace("\"temperature\": ", "\"temperature\": 1"));
        var read = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(s_greedy), TestContext.Current.CancellationToken);
        File.WriteAllText(file, text[..(text.Length / 2)]);
        var again = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(s_greedy), TestContext.Current.CancellationToken);

        Assert.True(read.Calibrated!["temperature"] > 10, "The stored temperature is the one that is used.");
        Assert.Equal(first.Calibrated, again.Calibrated);
        Assert.Equal(first.Multiplicities, again.Multiplicities);
        Assert.Equal(text, File.ReadAllText(file));
    }

    [Fact]
    public async Task A_greedy_average_counts_each_model_as_often_as_it_was_selected()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2);
        var run = await cluster.SubmitAsync(s_trained);
        await cluster.WhenAsync(run, s => s.HasEnded);
        var plan = Specs.Plan(s_trained);
        var report = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(s_greedy), TestContext.Current.CancellationToken);

        var answer = await cluster.Aggregator(run).PredictAsync(new PredictionRequest([.. Raw(plan, 5)], s_greedy), TestContext.Current.CancellationToken);

        var mean = new AnswerMean();
        foreach (var (file, times) in report.Weights.Zip(report.Multiplicities))
            mean.Add(Specs.Answers(plan, cluster.Folder(run), file, rows: 5), times);

        Assert.Equal(plan.Task.Predict(mean.ToArray())[0].Numbers, answer["probabilities"].Numbers);
        Assert.True(report.Multiplicities.Max() > 1, "Selection is with replacement.");
        Assert.Equal(report.Constituents, answer.Constituents);
    }

    [Fact]
    public async Task Calibrated_answers_have_the_evaluations_temperature_and_every_row_its_uncertainty()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Small);
        await cluster.WhenAsync(run, s => s.HasEnded);
        var plan = Specs.Plan(Specs.Small);
        var report = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);

        var raw = await cluster.Aggregator(run).PredictAsync(new PredictionRequest([.. Raw(plan, 5)]), TestContext.Current.CancellationToken);
        var calibrated = await cluster.Aggregator(run).PredictAsync(
            new PredictionRequest([.. Raw(plan, 5)], Calibrated: true), TestContext.Current.CancellationToken);

        var scaled = TemperatureScaling.Apply([.. raw["probabilities"].Numbers.Select(p => (double)p)], 10, report.Calibrated!["temperature"]);
        Assert.All(scaled.Zip(calibrated["probabilities"].Numbers), p => Assert.Equal(p.First, p.Second, 1e-6));
        Assert.Equal(raw["label"].Texts, calibrated["label"].Texts);
        Assert.Equal(raw["mutual_information"].Numbers, calibrated["mutual_information"].Numbers);
        Assert.Equal(5, raw["entropy"].Numbers.Length);
        Assert.All(raw["entropy"].Numbers.Zip(raw["mutual_information"].Numbers), row => Assert.InRange(row.Second, 0, row.First));
    }

    [Fact]
    public async Task What_needs_a_validation_split_is_refused_without_one()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await cluster.SubmitAsync(Specs.Small.Replace("\"dataset\": \"digits\"", "\"dataset\": \"digits\", \"validationFraction\": 0"));
        await cluster.WhenAsync(run, s => s.HasEnded);
        var rows = Raw(Specs.Plan(Specs.Small), 1);

        var greedy = await Assert.ThrowsAsync<RunRejectedException>(
            () => cluster.Aggregator(run).PredictAsync(new PredictionRequest([.. rows], s_greedy), TestContext.Current.CancellationToken));
        var calibrated = await Assert.ThrowsAsync<RunRejectedException>(
            () => cluster.Aggregator(run).PredictAsync(new PredictionRequest([.. rows], Calibrated: true), TestContext.Current.CancellationToken));

        Assert.Equal("prediction.select is \"greedy\": it chooses on validation rows, and run \"small\" kept none. Choose all or last:N.", greedy.Message);
        Assert.Equal("calibrated is true: calibration is fitted on validation rows, and run \"small\" kept none. Ask without it.", calibrated.Message);
        Assert.Null((await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken)).Calibrated);
    }

    private static float[] Raw(TrainingPlan plan, int rows) =>
        [.. plan.Dataset.Test.InputsOf(0, rows).ToArray().Select(pixel => pixel * 16)];
}

using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

public sealed class RegressionTests
{
    private const string Squares = "squared-error";

    [Fact]
    public void A_description_is_that_of_the_training_targets()
    {
        var task = Regression.Of([1e9, 1e9 + 2, 1e9 + 4], "time");

        Assert.Equal(new Regression(1e9 + 2, Math.Sqrt(8.0 / 3), 1e9, 1e9 + 4) { Target = "time" }, task);
        Assert.Equal((float)Math.Sqrt(1.5), task.Standardise(1e9 + 4), 1e-6);
    }

    [Fact]
    public void Measures_of_three_rows_by_hand()
    {
        // Two models of equal weight; standardised truth 0, 1 and 4, the mean 1, 1, 2, σ*² = 1 + 1, 1 + 1, 1 + 0.
        var task = new Regression(5, 2, 0, 10);
        double[] one = [0, 1, 0, 0, 1, 0, 2, 1, 4], other = [2, 1, 4, 2, 1, 4, 2, 1, 4];
        var quality = task.Quality();
        quality.Add(AnswerRows.Of([one, other], [1, 1]), [0, 1, 4]);

        var measures = quality.Result();

        Assert.Equal(2 * Math.Sqrt((1 + 0 + 4) / 3.0), measures["rmse"], 1e-9);
        Assert.Equal(2 * (1 + 0 + 2) / 3.0, measures["mae"], 1e-9);
        Assert.Equal(1 - 5 / (17 - 25 / 3.0), measures["r2"], 1e-9);
        double Normal(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        var nll = -(Math.Log((Normal(0) + Normal(2)) / 2) + Math.Log(Normal(1)) + Math.Log(Normal(2))) / 3;
        Assert.Equal(nll + Math.Log(2), measures["nll"], 1e-9);
        // |y − μ*|/σ* is 0.71, 0 and 2; the intervals reach to 0.67, 1.64 and 1.96.
        Assert.Equal([1 / 3.0, 2 / 3.0, 2 / 3.0], new[] { "0.5", "0.9", "0.95" }.Select(share => measures[$"coverage.{share}"]));
    }

    [Fact]
    public void Coverage_stands_in_a_group_of_its_own_in_json()
    {
        var json = System.Text.Json.JsonSerializer.Serialize(Measures.Of(("rmse", 1), ("coverage.0.5", 0.25), ("coverage.0.9", null)));

        Assert.Equal("""{"rmse":1,"coverage":{"0.5":0.25,"0.9":null}}""", json);
        Assert.Equal(json, System.Text.Json.JsonSerializer.Serialize(System.Text.Json.JsonSerializer.Deserialize<Measures>(json)));
    }

    [Theory]
    [InlineData("gaussian", 0)]
    [InlineData("gaussian", 5)]
    [InlineData(Squares, 0)]
    [InlineData(Squares, 5)]
    public async Task A_run_learns_the_waves_and_knows_how_well(string likelihood, int masks)
    {
        var (plan, models) = Train(likelihood);
        var chosen = new ChosenConstituents([.. models.Files], masks, IsGreedy: false);
        var fit = await ValidationFit.OfAsync(plan, chosen, models);

        var report = await EnsembleEvaluation.RunAsync("r", plan, ConstituentSelection.Of(chosen, fit), models, coverage: 0.8);

        Assert.Equal(("regression", "height"), (report.Task, report.Target));
        Assert.InRange(report.Ensemble["rmse"], 2, 12);
        Assert.InRange(report.Ensemble["r2"], 0.9, 1);
        Assert.True(report.Ensemble.Nll <= report.Single.Mean.Nll, "The mixture is no worse than its models on average.");
        Assert.InRange(report.Ensemble["coverage.0.9"], 0.7, 1);
        Assert.InRange(report.Conformal!.Test, 0.6, 0.97);
        Assert.InRange(report.Calibrated!["scale"], 0.3, 2);
        Assert.Equal(
            Math.Pow(report.Uncertainty!["standardDeviation"], 2),
            Math.Pow(report.Uncertainty["aleatoric"], 2) + Math.Pow(report.Uncertainty["epistemic"], 2), 1e-6);
        Assert.Equal(3, report.Models.Length);
        Assert.Null(report.Classes);
    }

    [Fact]
    public async Task Greedy_selection_is_by_the_validation_rows_likelihood()
    {
        var (plan, models) = Train("gaussian");
        var greedy = await ValidationFit.OfAsync(plan, new ChosenConstituents([.. models.Files], 0, IsGreedy: true), models);
        var all = await ValidationFit.OfAsync(plan, new ChosenConstituents([.. models.Files], 0, IsGreedy: false), models);

        Assert.True(greedy.Ensemble.Nll <= all.Ensemble.Nll + 1e-3, $"{greedy.Ensemble.Nll} against {all.Ensemble.Nll}");
        Assert.True(greedy.Ensemble.Nll <= greedy.Constituents.Min(fitted => fitted.Nll) + 1e-9);
        Assert.True(greedy.Calibrated.Nll <= greedy.Ensemble.Nll + 1e-9);
    }

    [Fact]
    public void The_factor_that_narrowed_the_deviations_is_found()
    {
        const int Rows = 4000;
        var task = new Regression(0, 1, -1, 1);
        var targets = Normals(Rows);
        double[] answers = [.. Enumerable.Range(0, Rows).SelectMany(_ => new[] { 0, 1 / 9.0, 0 })];

        Assert.Equal(3, task.Fit(AnswerRows.Of(answers), targets)["scale"], 0.1);
    }

    /// <summary>Of exchangeable rows at least a share c is held, within four standard errors, however wrong the model is.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.95)]
    public void Conformal_intervals_hold_what_they_promise_of_rows_that_are_exchangeable(double coverage)
    {
        const int Rows = 2000;
        var task = new Regression(10, 3, 0, 20);
        var y = Normals(2 * Rows);
        // A model that is off by its half and says a deviation that is wrong and differs from row to row.
        double[] answers = [.. Enumerable.Range(0, 2 * Rows).SelectMany(row => new[] { 0.5, 0.1 + row % 7, 0.25 })];
        var scores = ConformalScores.Of(task.Strangeness(answers.AsSpan(0, 3 * Rows), y.AsSpan(0, Rows)));

        var threshold = scores.Threshold(coverage);
        var held = task.Strangeness(answers.AsSpan(3 * Rows), y.AsSpan(Rows)).Count(strangeness => strangeness <= threshold) / (double)Rows;

        // Both halves scatter.
        Assert.Equal(coverage, held, 4 * Math.Sqrt(2 * coverage * (1 - coverage) / Rows));
    }

    [Fact]
    public void Conformal_sets_hold_what_they_promise_of_rows_that_are_exchangeable()
    {
        const int Rows = 2000;
        var task = TestTasks.Classes(3);
        var coins = new float[2 * Rows];
        new RandomSource(4).Uniform(new Draw(Purpose.MonteCarlo, 0, 0, 0), coins);
        float[] labels = [.. coins.Select(coin => coin < 0.5 ? 0f : coin < 0.8 ? 1 : 2)];
        // Sure of the wrong thing.
        var answers = TestTasks.Answers(3, [.. labels.SelectMany((_, row) => new[] { 0.1 + row % 10 * 0.01, 0.6, 0.3 - row % 10 * 0.01 })]);
        var scores = ConformalScores.Of(task.Strangeness(answers.AsSpan(0, 4 * Rows), labels.AsSpan(0, Rows)));

        var threshold = scores.Threshold(0.9);
        var test = answers.AsSpan(4 * Rows);

        Assert.InRange(task.Strangeness(test, labels.AsSpan(Rows)).Count(s => s <= threshold) / (double)Rows, 0.9 - 4 * Math.Sqrt(2 * 0.09 / Rows), 1);
        Assert.InRange(task.MeanSize(test, threshold), 1.5, 3);
    }

    [Fact]
    public void Too_few_rows_cannot_promise_much()
    {
        var error = Assert.Throws<SpecException>(() => ConformalScores.Of([3.0, 1, 2, 4]).Threshold(0.9));

        Assert.Equal(
            "coverage is 0.9: 4 validation rows can promise at most 0.8. Ask for less, or train with a larger data.validationFraction.", error.Message);
        Assert.Equal(4, ConformalScores.Of([3.0, 1, 2, 4]).Threshold(0.8));
    }

    [Fact]
    public void Of_many_scores_ranks_are_kept_and_promise_no_less()
    {
        var scores = ConformalScores.Of([.. Enumerable.Range(1, 100_003).Select(i => (double)i)]);

        Assert.Equal(10_000, scores.Scores.Length);
        Assert.InRange(scores.Threshold(0.9), 0.9 * 100_004, 0.9 * 100_004 + 11);
    }

    private static float[] Normals(int count)
    {
        var uniform = new float[12 * count];
        new RandomSource(8).Uniform(new Draw(Purpose.MonteCarlo, 0, 0, 0), uniform);
        return [.. Enumerable.Range(0, count).Select(i => uniform.AsSpan(12 * i, 12).ToArray().Sum() - 6)];
    }

    private static (TrainingPlan Plan, TrainedModels Models) Train(string likelihood)
    {
        var plan = Plans.Of(
            Plans.Number, ("training.likelihood", likelihood), ("training.epochs", "60"), ("training.optimizer.kind", "adam"),
            ("training.schedule.learningRate", "0.02"), ("regularization.dropout.inputRate", "0"), ("regularization.dropout.rate", "0.02"));
        return (plan, new TrainedModels(plan, EnsembleTraining.Run(plan)));
    }

    private sealed class TrainedModels(TrainingPlan plan, IReadOnlyList<Snapshot> snapshots) : IConstituents
    {
        public IEnumerable<WeightFile> Files => snapshots.Select(snapshot => new WeightFile(snapshot.Member, snapshot.Step, "", $"{snapshot.Member}"));

        public ValueTask<ConstituentAnswers> PredictAsync(ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows) =>
            ValueTask.FromResult(new ConstituentAnswers([.. constituents.Select(file => BatchedPrediction.OfRows(
                Predictors.Create(plan, snapshots.First(s => s.Member == file.Member).Weights, file.Member, monteCarloSamples),
                plan.Samples(rows.Part), rows.Start, rows.Count).ToImmutableArray())]));
    }
}

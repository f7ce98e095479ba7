using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class EarlyStoppingTests : IDisposable
{
    /// <summary>Without what regularizes, a network of this width soon knows its rows by heart.</summary>
    private static readonly (string, string)[] s_overfits =
    [
        ("training.epochs", "30"), ("training.schedule.kind", "constant"), ("training.schedule.learningRate", "0.3"), ("regularization.dropout", "null"),
        ("regularization.l2", "0"), ("data.validationFraction", "0.3"), ("training.earlyStopping.patience", "3"), ("training.earlyStopping.everySteps", "6"),
    ];

    private readonly TemporaryFolder _runs = new();

    [Theory, MemberData(nameof(Tasks))]
    public void A_member_ends_after_as_many_evaluations_without_a_better_one_as_it_has_patience(string spec)
    {
        var plan = Overfitting(spec);
        using var training = new MemberTraining(plan, 1);
        var lines = Lines(training);

        var evaluated = lines.Where(line => line.Validation is not null).ToArray();
        var best = evaluated.MinBy(line => line.Validation!.Nll)!;
        Assert.Equal(best.Step, training.FinalStep);
        Assert.Equal(training.FinalStep + 3 * 6, training.Step);
        Assert.InRange(training.Step, 24, plan.Of(1).Steps - 1);
        Assert.Equal(Enumerable.Range(1, training.Step / 6).Select(i => 6 * i), evaluated.Select(line => line.Step));
        Assert.Equal(ShaAt(plan, 1, best.Step), training.FinalSha256());
    }

    [Theory, MemberData(nameof(Tasks))]
    public void Being_evaluated_changes_no_weight(string spec)
    {
        var (with, without) = (Overfitting(spec), Overfitting(spec, ("training.earlyStopping", "null")));
        using var evaluated = new MemberTraining(with, 2);
        using var unwatched = new MemberTraining(without, 2);
        for (var step = 1; step <= 15; step++)
        {
            evaluated.Advance();
            unwatched.Advance();
            using var one = evaluated.CopyWeights();
            using var other = unwatched.CopyWeights();
            Assert.Equal(other.Sha256(), one.Sha256());
        }
    }

    [Theory]
    [InlineData(Plans.Small, "gaussian", "own")]
    [InlineData(Plans.Small, "gaussian", "libtorch")]
    [InlineData(Plans.Number, "gaussian", "own")]
    [InlineData(Plans.Number, "squared-error", "own")]
    public void What_a_line_says_of_the_validation_rows_is_what_an_evaluation_says(string spec, string likelihood, string kernels)
    {
        var plan = Overfitting(spec, ("training.likelihood", likelihood), ("training.kernels", kernels));
        using var training = new MemberTraining(plan, 0);
        StepMetrics? line = null;
        while (line?.Validation is null) line = training.Advance();

        using var weights = training.CopyWeights();
        var rows = plan.Samples(DataPart.Validation);
        var answers = BatchedPrediction.OfRows(Predictors.Create(plan, weights, 0, 0), rows, 0, (int)rows.Count, TestContext.Current.CancellationToken);
        var task = plan.Task.Fitted(plan.Task.Fit(AnswerRows.Of(answers), rows.Targets));
        var quality = task.Quality();
        quality.Add(AnswerRows.Of(answers), rows.Targets);
        Assert.Equal(quality.Result().Nll, line.Validation.Nll, 1e-6);
    }

    [Theory, MemberData(nameof(Tasks))]
    public async Task A_member_that_goes_on_from_any_checkpoint_stops_at_the_same_step_with_the_same_model(string spec)
    {
        var plan = Overfitting(spec);
        using var uninterrupted = new MemberTraining(plan, 1);
        var folder = new RunFolder(_runs.Path, plan.Spec.Name!);
        Directory.CreateDirectory(folder.Root);
        File.WriteAllText(folder.Spec, plan.Spec.ToJson());
        var files = new List<WeightFile>();
        while (!uninterrupted.HasEnded)
        {
            if (uninterrupted.Step % 5 == 0) files.Add(Save(uninterrupted));
            uninterrupted.Advance();
        }

        Assert.Contains(files, file => file.Step > uninterrupted.FinalStep);
        foreach (var file in files)
        {
            using var checkpoint = WeightFiles.LoadCheckpoint(folder, file, plan);
            using var resumed = new MemberTraining(plan, 1, checkpoint);
            while (!resumed.HasEnded) resumed.Advance();
            Assert.Equal((uninterrupted.Step, uninterrupted.FinalStep, uninterrupted.FinalSha256()), (resumed.Step, resumed.FinalStep, resumed.FinalSha256()));
        }

        Assert.Equal(uninterrupted.FinalSha256(), await OtherProcess.ContinueAsync(Json(plan), _runs.Path, files[^1]));

        WeightFile Save(MemberTraining training)
        {
            using var checkpoint = training.CopyCheckpoint();
            return WeightFiles.SaveCheckpoint(folder, RunKey.New(plan.Spec.Name!), new MemberAttempt(1, 1), checkpoint);
        }
    }

    [Fact]
    public void A_member_that_never_gets_better_ends_with_its_first_evaluation()
    {
        var plan = Overfitting(Plans.Small, ("training.schedule.learningRate", "1e-30"));
        using var training = new MemberTraining(plan, 0);
        while (!training.HasEnded) training.Advance();

        Assert.Equal((24, 6), (training.Step, training.FinalStep));
    }

    [Fact]
    public void A_member_whose_evaluations_are_no_numbers_runs_out_of_patience_without_a_best_model()
    {
        var plan = Overfitting(Plans.Small);
        using var weights = Weights.Initialize(plan.Of(0).Network.Layout, plan.Random, 0);
        using var stopping = new EarlyStopping(plan.Of(0), weights, null, null);
        weights.Values(plan.Of(0).Network.Layout.Tensors[0]).Fill(float.MaxValue);

        Assert.Equal([double.NaN, double.NaN, double.NaN], new[] { 6, 12, 18 }.Select(stopping.Evaluate));
        Assert.Null(stopping.Best);
        Assert.Equal([false, false, true], new[] { 6, 12, 18 }.Select(stopping.IsOver));
        Assert.Equal("{\"step\":6,\"epoch\":1,\"learningRate\":0.1,\"loss\":1,\"l2\":0,\"accuracy\":0.5,\"validation\":{\"nll\":null}}\n",
            new StepMetrics(6, 1, 0.1, 1, 0, new StepQuality("accuracy", 0.5)) { Validation = new ValidationMetrics(double.NaN) }.ToLine());
    }

    [Fact]
    public void A_member_that_diverges_fails_although_it_had_a_best_model()
    {
        var plan = Overfitting(Plans.Small, ("training.schedule.learningRate", "1000"), ("training.schedule.kind", "cosine"), ("regularization.l2", "1e-4"), ("training.earlyStopping.everySteps", "1"), ("training.earlyStopping.patience", "1000"));
        using var training = new MemberTraining(plan, 0);
        var error = Assert.Throws<DivergedException>(() => Lines(training));
        Assert.StartsWith("the loss of member 0 is ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Snapshots_are_those_that_the_member_comes_to_and_its_best_model_and_the_average_goes_to_its_end()
    {
        var plan = Overfitting(Plans.Small, ("snapshots.perMember", "30"), ("averaging.everySteps", "7"));
        var average = new List<Snapshot>();
        var snapshots = EnsembleTraining.Run(plan, [1], ema: average, cancellation: TestContext.Current.CancellationToken);
        using var training = new MemberTraining(plan, 1);
        while (!training.HasEnded) training.Advance();

        var planned = plan.Of(1).SnapshotSteps.Where(step => step <= training.Step).Append(training.FinalStep).Distinct().Order();
        Assert.Equal(planned, snapshots.Select(snapshot => snapshot.Step));
        Assert.Equal(training.FinalSha256(), snapshots.Single(snapshot => snapshot.Step == training.FinalStep).Weights.Sha256());
        Assert.Equal(training.Step, Assert.Single(average).Step);
        Assert.NotEqual(0, training.Step % 7);
        foreach (var snapshot in snapshots.Concat(average)) snapshot.Weights.Dispose();
    }

    [Fact]
    public void Without_snapshots_the_best_model_alone_is_kept()
    {
        var plan = Overfitting(Plans.Small, ("training.earlyStopping.patience", "1000"));
        var snapshots = EnsembleTraining.Run(plan, [1], cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(Assert.Single(snapshots).Step, 6, plan.Of(1).Steps);
        foreach (var snapshot in snapshots) snapshot.Weights.Dispose();
    }

    [Fact]
    public void The_steps_of_an_epoch_lie_between_two_evaluations_unless_the_spec_says_otherwise()
    {
        var plan = Plans.Of(Plans.Small, ("training.earlyStopping.patience", "5")).Of(0);
        Assert.Equal((plan.StepsPerEpoch, 5), (plan.Stopping!.EverySteps, plan.Stopping.Patience));
    }

    /// <summary>Where it did, an evaluation would cost a collection now and then.</summary>
    [Fact]
    public void An_evaluation_allocates_nothing()
    {
        var plan = Overfitting(Plans.Small);
        using var weights = Weights.Initialize(plan.Of(0).Network.Layout, plan.Random, 0);
        using var stopping = new EarlyStopping(plan.Of(0), weights, null, null);
        for (var i = 0; i < 50; i++) stopping.Evaluate(6);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++) stopping.Evaluate(12);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("data.validationFraction", "0", "training.earlyStopping.patience is 3: members stop by the validation rows, and data.validationFraction is 0 "
        + "(raise it, or set training.earlyStopping to null).")]
    [InlineData("data.validationFraction", "1e-6", "training.earlyStopping.patience is 3: members stop by the validation rows, and data.validationFraction 1E-06 "
        + "of 1437 rows is none (raise it, or set training.earlyStopping to null).")]
    [InlineData("training.earlyStopping.everySteps", "331", "training.earlyStopping.everySteps is 331: a member has only 330 steps. Evaluate more often or train longer.")]
    [InlineData("training.earlyStopping.patience", "0", "training.earlyStopping.patience is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("training.earlyStopping.on", "accuracy", "training.earlyStopping.on is \"accuracy\": it must be nll (did you mean nll?).")]
    public void What_cannot_be_is_told(string key, string value, string error) =>
        Assert.Equal(error, Assert.Throws<SpecException>(() => Overfitting(Plans.Small, (key, value))).Message);

    public static TheoryData<string> Tasks => [Plans.Small, Plans.Number, MixedSpecs.Class, MixedSpecs.TabMNumber];

    public void Dispose() => _runs.Dispose();

    private static TrainingPlan Overfitting(string spec, params (string, string)[] settings) =>
        Plans.Of(spec, [.. s_overfits.Where(setting => setting.Item1 != "regularization.l2" || spec != MixedSpecs.Class && spec != MixedSpecs.TabMNumber), .. settings]);

    private static string Json(TrainingPlan plan) => plan.Spec.ToJson();

    private static List<StepMetrics> Lines(MemberTraining training)
    {
        var lines = new List<StepMetrics>();
        while (!training.HasEnded)
        {
            if (training.Advance() is not { } line) continue;
            Assert.Equal(line, StepMetrics.LastOf(line.ToLine()));
            lines.Add(line);
        }

        return lines;
    }

    private static string ShaAt(TrainingPlan plan, int member, int step)
    {
        using var training = new MemberTraining(plan, member);
        while (training.Step < step) training.Advance();
        using var weights = training.CopyWeights();
        return weights.Sha256();
    }
}

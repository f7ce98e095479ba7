using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Evaluation;

public sealed class ValidationFitTests
{
    private static readonly TrainingPlan s_plan = Plans.Of(Plans.Small);

    /// <summary>The first is better on the test split, the second on the validation split.</summary>
    private static readonly ImmutableArray<WeightFile> s_models = [new(0, 39, "0", "0"), new(1, 39, "1", "1")];

    [Fact]
    public async Task Selection_temperature_and_the_best_member_are_the_validation_splits()
    {
        var models = new GivenAnswers();

        var greedy = await ValidationFit.OfAsync(s_plan, new ChosenConstituents(s_models, 0, IsGreedy: true), models);
        var all = await ValidationFit.OfAsync(s_plan, new ChosenConstituents(s_models, 0, IsGreedy: false), models);

        Assert.Equal([DataPart.Validation], models.Asked);
        Assert.Equal([0, 1], greedy.Constituents.Select(fitted => fitted.Multiplicity));
        Assert.Equal([1, 1], all.Constituents.Select(fitted => fitted.Multiplicity));
        Assert.Equal((1, 0), (all.Best(s_models), greedy.Best(s_models[1..])));
        Assert.Equal(-Math.Log(GivenAnswers.Better), greedy.Ensemble.Nll, 1e-5);
        Assert.InRange(greedy.Calibrated.Nll, 0, greedy.Ensemble.Nll);
    }

    [Fact]
    public async Task The_test_split_is_measured_with_what_the_validation_split_chose()
    {
        var models = new GivenAnswers();
        var chosen = new ChosenConstituents(s_models, 0, IsGreedy: true);
        var fit = await ValidationFit.OfAsync(s_plan, chosen, models);
        models.Asked.Clear();

        var report = await EnsembleEvaluation.RunAsync("r", s_plan, ConstituentSelection.Of(chosen, fit), models);

        Assert.Equal([DataPart.Test], models.Asked);
        Assert.Equal([s_models[1]], report.Weights);
        Assert.Equal(1, report.Single.BestMember);
        Assert.Equal(-Math.Log(GivenAnswers.Worse), report.Ensemble.Nll, 1e-5);
        Assert.Equal(fit.Fit!["temperature"], report.Calibrated!["temperature"]);
    }

    [Fact]
    public async Task Of_many_choices_some_fits_are_kept_and_all_are_answered()
    {
        using var runs = new TemporaryFolder();
        var folder = new RunFolder(runs.Path, "r");
        for (var samples = 0; samples < ValidationFits.MostKept + 10; samples++)
            Assert.Equal(samples, (await ValidationFits.OfAsync(folder, s_plan, new ChosenConstituents(s_models, samples, IsGreedy: false), new GivenAnswers()))!.MonteCarloSamples);

        Assert.Equal(ValidationFits.MostKept, Directory.GetFiles(folder.Path(RunFolder.Validations)).Length);
        Assert.NotNull(ValidationFits.Stored(folder, new ChosenConstituents(s_models, 0, IsGreedy: false)));
    }

    /// <summary>Models that give the right class of every row the same probability, which depends on the split.</summary>
    private sealed class GivenAnswers : IConstituents
    {
        public const float Better = 0.8f, Worse = 0.3f;

        public HashSet<DataPart> Asked { get; } = [];

        public ValueTask<ConstituentAnswers> PredictAsync(ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows)
        {
            Asked.Add(rows.Part);
            var labels = s_plan.Samples(rows.Part).Targets[rows.Start..(rows.Start + rows.Count)];
            return ValueTask.FromResult(new ConstituentAnswers([.. constituents.Select(file =>
                Of(labels, file.Member == 1 == (rows.Part == DataPart.Validation) ? Better : Worse).ToImmutableArray())]));
        }

        private static double[] Of(float[] labels, float right)
        {
            var wrong = (1 - right) / 9;
            return TestTasks.Answers(10, [.. labels.SelectMany(label => Enumerable.Range(0, 10).Select(c => (double)(c == label ? right : wrong)))]);
        }
    }
}

using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Tests.Experiments;

/// <summary>The numbers of an experiment, computed again by the training library alone. NLL tells apart what errors may not.</summary>
public sealed class ExperimentTests : IDisposable
{
    private const int Masks = 3;

    private static readonly Suite s_suite = Tiny("base", "cyclic", "constant", "everything");

    private readonly Dataset _digits = new Digits().Load(new DataFolders());
    private readonly ExperimentResults _results;

    private static readonly Classification s_task = new([.. Enumerable.Range(0, 10).Select(digit => $"{digit}")]);

    public ExperimentTests()
    {
        var experiment = new Experiment(s_suite, _digits, "ensemble reproduce", TimeProvider.System);
        experiment.RunSeed((_, _) => { }, TestContext.Current.CancellationToken);
        _results = experiment.Results();
    }

    [Fact]
    public void Selection_and_temperature_are_the_validation_splits()
    {
        var everything = Train("everything");
        var (validation, test) = (everything.Snapshots(DataPart.Validation), everything.Snapshots(DataPart.Test));
        var labels = Labels(DataPart.Validation);
        var multiplicities = GreedySelection.Select(
            [.. validation.Select(answers => labels.Select((label, row) => answers[row * 11 + (int)label]).ToArray())]);

        Assert.True(multiplicities.Count(times => times > 0) > 1, "One model alone says little about what chose it.");
        Assert.Equal(Nll(Average(test, multiplicities)), Measured("everything, greedy among 50").Nll, 1e-6);

        var temperature = TemperatureScaling.Fit(s_task.Probabilities(Average(validation)), labels);
        Assert.InRange(temperature, 2 * TemperatureScaling.Lowest, TemperatureScaling.Highest / 2);
        Assert.Equal(temperature, Measured("everything, 50 snapshots").Temperature, 1e-6);
        Assert.Equal(Nll([.. TemperatureScaling.Apply(s_task.Probabilities(Average(test)), 10, temperature).Chunk(10).SelectMany(row => row.Append(0))]), Measured("everything, 50 snapshots").CalibratedNll, 1e-6);
    }

    [Fact]
    public void Masks_are_sampled_and_averages_start_anew_where_a_subject_says_so()
    {
        var (never, cycle) = (Train("everything"), Train("everything", "\"reset\": \"cycle\""));

        Assert.Equal(Nll(Average(never.Snapshots(DataPart.Test, Masks))), Measured("everything, 50 snapshots × 50 masks").Nll, 1e-6);
        Assert.Equal(Nll(Average(cycle.Ema(DataPart.Test, Masks))), Measured("everything, 10 EMA models × 50 masks").Nll, 1e-6);

        var (cyclic, reset) = (Train("cyclic"), Train("cyclic", "\"reset\": \"cycle\""));
        Assert.Equal(cyclic.Ema(DataPart.Test).Average(Nll), Measured("EMA, cyclic, never reset").Nll, 1e-6);
        Assert.Equal(reset.Ema(DataPart.Test).Average(Nll), Measured("EMA, cyclic, reset each cycle").Nll, 1e-6);
    }

    [Fact]
    public void A_difference_is_between_the_members_that_both_trained()
    {
        var (single, cyclic) = (Train("base"), Train("cyclic"));
        var finals = single.Finals(DataPart.Test);
        Assert.Equal((10, 3), (finals.Count, cyclic.Finals(DataPart.Test).Count));

        var after = Enumerable.Range(0, 3).Average(member => Nll(Average(cyclic.Snapshots(DataPart.Test, member: member))));

        Assert.Equal(after - finals.Take(3).Average(Nll), Found("Cyclic snapshots beat a single model").Nll.Mean, 1e-6);
        Assert.Equal(Nll(Average(finals)) - finals.Average(Nll), Found("Ten members gain about 2 points of accuracy over a single one (MLP)").Nll.Mean, 1e-6);
    }

    public void Dispose() => _digits.Dispose();

    private static Suite Tiny(params string[] arms)
    {
        var subjects = Suite.Quick.Subjects.Where(subject => arms.Contains(subject.Arm)).ToList();
        bool IsMeasured(string name) => subjects.Any(subject => subject.Name == name);
        return Suite.Quick with
        {
            Arms = [.. Suite.Quick.Arms.Where(arm => arms.Contains(arm.Name)).Select(arm => arm with
            {
                MonteCarloSamples = Math.Min(arm.MonteCarloSamples, Masks),
                Spec = arm.Spec.Replace("\"epochs\": 20, \"batchSize\": 32", "\"epochs\": 8, \"batchSize\": 64", StringComparison.Ordinal),
            })],
            Subjects = subjects,
            Comparisons = [.. Suite.Quick.Comparisons.Where(comparison => IsMeasured(comparison.Baseline) && IsMeasured(comparison.Treatment))],
            Curves = [],
        };
    }

    private Measure Measured(string subject) => _results.Subjects.Single(result => result.Name == subject).BySeed[0];

    private FindingResult Found(string claim) => _results.Findings.Single(finding => finding.Claim == claim);

    /// <summary>Trains an arm again.</summary>
    /// <param name="averaging">Another key of its averaging.</param>
    private Trained Train(string name, string averaging = "\"reset\": \"never\"")
    {
        var arm = s_suite.Arm(name);
        var plan = (arm with { Spec = arm.Spec.Replace("\"everySteps\": 5", $"\"everySteps\": 5, {averaging}", StringComparison.Ordinal) })
            .Plan(_digits, s_suite.Source, 1);
        List<Snapshot> ema = [];
        return new Trained(plan, EnsembleTraining.Run(plan, ema: ema), ema);
    }

    private static double[] Average(IReadOnlyList<double[]> answers, int[]? multiplicities = null)
    {
        var mean = new AnswerMean();
        for (var i = 0; i < answers.Count; i++) if (multiplicities?[i] != 0) mean.Add(answers[i], multiplicities?[i] ?? 1);
        return mean.ToArray();
    }

    private double Nll(double[] answers) => ClassificationQuality.Of(s_task, answers, Labels(DataPart.Test)).Nll;

    private float[] Labels(DataPart part) => s_suite.Arm("base").Plan(_digits, s_suite.Source, 1).Samples(part).Targets;

    private sealed record Trained(TrainingPlan Plan, IReadOnlyList<Snapshot> Models, IReadOnlyList<Snapshot> Averages)
    {
        public IReadOnlyList<double[]> Snapshots(DataPart part, int masks = 0, int? member = null) =>
            [.. Models.Where(model => member is null || model.Member == member).Select(model => Answers(model, part, masks))];

        public IReadOnlyList<double[]> Finals(DataPart part) => [.. Models.Where(model => model.Step == Plan.Of(0).Steps).Select(model => Answers(model, part, 0))];

        public IReadOnlyList<double[]> Ema(DataPart part, int masks = 0) => [.. Averages.Select(model => Answers(model, part, masks))];

        private double[] Answers(Snapshot model, DataPart part, int masks) => BatchedPrediction.OfRows(
            Predictors.Create(Plan, model.Weights, model.Member, masks), Plan.Samples(part), 0, (int)Plan.Samples(part).Count);
    }
}

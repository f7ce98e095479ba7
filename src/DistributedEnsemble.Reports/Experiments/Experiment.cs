using System.Text.Json.Nodes;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Measures a suite seed by seed. After each seed there are results of those that are done.</summary>
public sealed class Experiment(Suite suite, Dataset dataset, string command, TimeProvider time)
{
    private readonly Dictionary<string, List<Measure>> _measures = suite.Subjects.ToDictionary(subject => subject.Name, _ => new List<Measure>());
    private readonly Dictionary<string, int> _forwards = [];
    private readonly List<(double Error, double Nll, double CalibratedNll)[]> _differences = [];
    private readonly List<double[][]> _curves = [];
    private readonly EarlyExitExperiment _exits = new(suite, command, time);
    private readonly List<ulong> _seeds = [];
    private readonly long _started = time.GetTimestamp();
    private SeedModels? _first;

    /// <summary>The models of the first seed, for pictures.</summary>
    public SeedModels First => _first ?? throw new InvalidOperationException("No seed is trained yet.");

    /// <summary>Trains and measures the next seed.</summary>
    /// <param name="onMember">Told of every member that is done.</param>
    public void RunSeed(Action<Arm, int> onMember, CancellationToken cancellation)
    {
        var models = SeedModels.Train(suite, dataset, (ulong)_seeds.Count + 1, onMember, cancellation);
        Dictionary<string, Measure[]> measured = [];
        foreach (var subject in suite.Subjects)
        {
            var each = subject.Each(models);
            measured[subject.Name] = [.. each.Select(answers => Measure.Of(models.Splits, answers))];
            _measures[subject.Name].Add(Measure.Mean(measured[subject.Name]));
            _forwards[subject.Name] = each[0].Forwards;
        }

        _differences.Add([.. suite.Comparisons.Select(comparison => Difference(measured[comparison.Baseline], measured[comparison.Treatment]))]);
        _curves.Add([.. suite.Curves.Select(curve => ErrorsBySize(models, curve.Arm))]);
        _exits.Add(models, _curves[^1]);
        _seeds.Add(models.Seed);
        _first ??= models;
    }

    public ExperimentResults Results()
    {
        var splits = First.Splits;
        return new ExperimentResults
        {
            Dataset = suite.Name,
            Command = command,
            Date = time.GetUtcNow().ToString("yyyy-MM-dd"),
            Version = EarlyExitExperiment.Version,
            Machine = ThisMachine.Describe(),
            Threads = Environment.ProcessorCount,
            Minutes = time.GetElapsedTime(_started).TotalMinutes,
            Seeds = [.. _seeds],
            Splits = new SplitSizes(splits.Split.TrainingCount, splits.Split.Validation.Length, dataset.Test.Count),
            Arms = [.. suite.Arms.Select(Result)],
            Subjects = [.. suite.Subjects.Select(subject => new SubjectResult(
                subject.Name, subject.Arm, (long)subject.MembersEach * First.Plan(subject.Arm).Of(0).Steps, _forwards[subject.Name],
                _measures[subject.Name]))],
            Findings = [.. suite.Comparisons.Select(Result)],
            Reliability = Reliabilities(),
            Disagreements = SnapshotDisagreements(),
            Learning = [Learning("base"), Learning("cyclic"), Learning("constant")],
            Curves = [.. suite.Curves.Select((curve, i) => new CurveResult(curve.Title, [.. _curves.Select(seed => seed[i])]))],
        };
    }

    /// <summary>What the seeds that are done lose where rows ask no more members than they need.</summary>
    public EarlyExitResults EarlyExits() => _exits.Results();

    private Reliability[] Reliabilities()
    {
        var targets = First.Splits.Samples(DataPart.Test).Targets;
        var task = (Classification)First.Splits.Task;
        var finals = First["base"].Select(member => member.Final).ToList();
        var ensemble = Answers.Average(finals);
        var fit = task.Fit(AnswerRows.Of(ensemble.Validation), First.Splits.Samples(DataPart.Validation).Targets);
        return
        [
            Reliability.Of("single models", task, finals.Select(model => model.Test), targets),
            Reliability.Of("ten members", task, [ensemble.Test], targets),
            Reliability.Of("ten members, calibrated", (Classification)task.Fitted(fit), [ensemble.Test], targets, isCalibrated: true),
        ];
    }

    private Disagreements SnapshotDisagreements()
    {
        var models = First["everything"].SelectMany((member, i) => member.Snapshots.Select(model => (Member: i, model.Scaled.Test))).ToList();
        return Disagreements.Of(
            (Classification)First.Splits.Task, [.. models.Select(model => model.Member)], [.. models.Select(model => model.Test)],
            First.Splits.Samples(DataPart.Test).Targets);
    }

    private LearningCurves Learning(string arm) =>
        new(arm, [First[arm][0].Lines], [.. First.Plan(arm).Of(0).SnapshotSteps.Order()]);

    private ArmResult Result(Arm arm)
    {
        var plan = First.Plan(arm.Name);
        return new ArmResult(arm.Name, JsonNode.Parse(plan.Spec.ToJson())!, arm.Members, plan.Of(0).Steps, plan.Of(0).Network.Layout.ParameterCount);
    }

    private FindingResult Result(Comparison comparison, int i)
    {
        var finding = new Finding(
            comparison, Of(difference => difference.Error), Of(difference => difference.Nll), Of(difference => difference.CalibratedNll));
        return new FindingResult(
            comparison.Claim, comparison.Baseline, comparison.Treatment, comparison.Budget, finding.Verdict, finding.Error, finding.Nll,
            finding.CalibratedNll);

        Estimate Of(Func<(double Error, double Nll, double CalibratedNll), double> measure) =>
            Estimate.Of([.. _differences.Select(seed => measure(seed[i]))]);
    }

    /// <summary>Treatment less baseline, by the same members where both have them: they start alike and see the same batches.</summary>
    private static (double Error, double Nll, double CalibratedNll) Difference(Measure[] baseline, Measure[] treatment)
    {
        var (before, after) = (Measure.Mean(Common(baseline, treatment)), Measure.Mean(Common(treatment, baseline)));
        return (after.Error - before.Error, after.Nll - before.Nll, after.CalibratedNll - before.CalibratedNll);

        static Measure[] Common(Measure[] own, Measure[] other) => other.Length == 1 ? own : own[..Math.Min(own.Length, other.Length)];
    }

    /// <summary>Errors of ensembles of 1, 2, … members: each the mean over all choices of neighbours in the circle of members.</summary>
    internal static double[] ErrorsBySize(SeedModels models, string arm)
    {
        var finals = models[arm].Select(member => member.Final).ToList();
        return [.. Enumerable.Range(1, finals.Count).Select(size => Enumerable.Range(0, size == finals.Count ? 1 : finals.Count).Average(
            start => Error(models.Splits, Answers.Average(Enumerable.Range(start, size).Select(i => finals[i % finals.Count])))))];
    }

    private static double Error(TrainingPlan plan, Answers answers) =>
        1 - ClassificationQuality.Of((Classification)plan.Task, answers.Test, plan.Samples(DataPart.Test).Targets)["accuracy"];
}

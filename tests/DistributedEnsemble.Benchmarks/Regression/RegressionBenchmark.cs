using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Benchmarks.Regression;

/// <summary>Regression at the protocol of Lakshminarayanan et al., 2017, table 1, on the published splits.</summary>
internal static class RegressionBenchmark
{
    private const string Spec = """
        {
          "members": 5, "data": { "validationFraction": 0 },
          "model": { "kind": "mlp", "hidden": [50] },
          "training": {
            "epochs": 40, "batchSize": 100, "optimizer": { "kind": "adam" }, "schedule": { "kind": "constant", "learningRate": RATE },
            "likelihood": "gaussian"
          }
        }
        """;

    /// <summary>Mean and standard error of the paper's ensembles.</summary>
    private static readonly (string Name, double Rmse, double RmseError, double Nll, double NllError)[] s_paper =
        [("concrete", 6.03, 0.58, 3.06, 0.18), ("energy", 2.09, 0.29, 1.38, 0.22), ("yacht", 1.58, 0.48, 1.18, 0.21), ("wine", 0.64, 0.04, 0.94, 0.12)];

    /// <param name="folder">Has the tables and their splits.</param>
    public static async Task<RegressionResults> RunAsync(string folder, double rate, string command)
    {
        var begun = TimeProvider.System.GetTimestamp();
        var spec = Spec.Replace("RATE", rate.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        List<RegressionResult> results = [];
        foreach (var (name, rmse, rmseError, nll, nllError) in s_paper)
        {
            var table = PublishedTable.Read(folder, name);
            var reports = new EvaluationReport[table.Splits.Length];
            for (var split = 0; split < reports.Length; split++) reports[split] = await MeasureAsync(table, split, spec);
            results.Add(new RegressionResult(
                name, table.Rows, table.Features, Over(report => report.Ensemble["rmse"]), Over(report => report.Ensemble.Nll),
                Over(report => report.Single.Mean["rmse"]), Over(report => report.Single.Mean.Nll),
                new Estimate(rmse, rmseError, reports.Length), new Estimate(nll, nllError, reports.Length)));

            Estimate Over(Func<EvaluationReport, double> measure) => Estimate.Of([.. reports.Select(measure)]);
        }

        return new RegressionResults(
            command, $"{DateTime.UtcNow:yyyy-MM-dd}", ThisMachine.Describe(), TimeProvider.System.GetElapsedTime(begun).TotalSeconds, spec, results);
    }

    private static async Task<EvaluationReport> MeasureAsync(PublishedTable table, int split, string spec)
    {
        using var dataset = table.Load(split);
        var resolved = SpecDocument.Parse(spec).With([("seed", $"{split + 1}")]).Resolve(new TwoMoons().Defaults);
        var plan = new TrainingPlan(resolved, dataset, new NetworkRegistry());
        var snapshots = EnsembleTraining.Run(plan);
        var models = new Models(plan, snapshots);
        var chosen = new ChosenConstituents([.. snapshots.Select(Models.File)], 0, IsGreedy: false);
        var report = await EnsembleEvaluation.RunAsync(table.Name, plan, ConstituentSelection.Of(chosen, null), models);
        foreach (var snapshot in snapshots) snapshot.Weights.Dispose();
        return report;
    }

    private sealed class Models(TrainingPlan plan, IReadOnlyList<Snapshot> snapshots) : IConstituents
    {
        public static WeightFile File(Snapshot snapshot) => new(snapshot.Member, snapshot.Step, "", "");

        public ValueTask<ConstituentAnswers> PredictAsync(ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows) =>
            ValueTask.FromResult(new ConstituentAnswers([.. snapshots.Select(snapshot => BatchedPrediction.OfRows(
                Predictors.Create(plan, snapshot.Weights, snapshot.Member, monteCarloSamples), plan.Samples(rows.Part), rows.Start, rows.Count).ToImmutableArray())]));
    }
}

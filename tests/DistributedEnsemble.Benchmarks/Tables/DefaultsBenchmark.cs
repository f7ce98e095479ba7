using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>
/// Compares what tables could be trained with by default, on training rows alone: the test rows of each table are put away, and
/// every fifth of the others measures. One thread trains member after member, so that processor time can be told.
/// </summary>
/// <param name="folds">Which fifths measure, one after another: 1 to 5.</param>
/// <param name="members">Of each ensemble; 0 is as many as the spec says.</param>
internal sealed class DefaultsBenchmark(string folder, IReadOnlyCollection<string> only, int folds, int members)
{
    private const int Parts = 5;

    /// <param name="candidates">A line for each: a spec that differs from the defaults.</param>
    /// <param name="output">Gets a line for each candidate and table.</param>
    public void Run(IReadOnlyList<string> candidates, TextWriter output)
    {
        foreach (var table in PublicTable.All(folder).Where(table => only.Count == 0 || only.Contains(table.Name)))
        {
            using var dataset = table.Load();
            foreach (var candidate in candidates)
            {
                var results = Enumerable.Range(0, folds).Select(fold => Measure(dataset, table.Merge(candidate), fold)).ToArray();
                output.WriteLine(JsonSerializer.Serialize(
                    new
                    {
                        Table = table.Name, Candidate = candidate, Score = results.Average(result => result.Score), Single = results.Average(result => result.Single),
                        Nll = results.Average(result => result.Nll), Seconds = results.Average(result => result.Seconds), Folds = folds,
                        Rows = dataset.Train.Count, results[0].Members,
                    },
                    JsonSerializerOptions.Web));
                output.Flush();
            }
        }
    }

    private Result Measure(Dataset all, SpecDocument document, int fold)
    {
        bool IsMeasured(int row) => row % Parts == fold;
        var rows = Enumerable.Range(0, (int)all.Train.Count).ToArray();
        var data = new Dataset
        {
            Name = all.Name, Sha256 = all.Sha256, InputShape = all.InputShape, Embedded = all.Embedded, Columns = all.Columns, Task = all.Task,
            Preprocessing = all.Preprocessing, Train = all.Train.Rows([.. rows.Where(row => !IsMeasured(row))]), Test = all.Train.Rows([.. rows.Where(IsMeasured)]),
        };
        using (data)
        {
            var plan = new TrainingPlan(document.Resolve(all.Defaults), data, new NetworkRegistry());
            var count = members > 0 ? members : plan.Spec.Members;
            var before = Environment.CpuUsage.TotalTime;
            var models = EnsembleTraining.Run(plan, Enumerable.Range(0, count)).GroupBy(snapshot => snapshot.Member).Select(group => group.Last()).ToArray();
            var seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
            var answers = models.Select(model =>
                BatchedPrediction.OfRows(Predictors.Create(plan, model.Weights, model.Member, 0), data.Test, 0, (int)data.Test.Count)).ToArray();
            var counts = Counts(plan, models);
            foreach (var model in models) model.Weights.Dispose();
            var measure = plan.Task is Classification ? "accuracy" : "r2";
            Measures Quality(AnswerRows answered)
            {
                var quality = plan.Task.Quality();
                quality.Add(answered, data.Test.Targets);
                return quality.Result();
            }

            var counted = Enumerable.Range(0, answers.Length).Where(i => counts[i] > 0).ToArray();
            var ensemble = Quality(AnswerRows.Of([.. counted.Select(i => (ReadOnlyMemory<double>)answers[i])], [.. counted.Select(i => counts[i])]));
            return new Result(ensemble[measure], answers.Average(answer => Quality(AnswerRows.Of(answer))[measure]), ensemble.Nll, seconds, count);
        }
    }

    /// <summary>How often each model counts: once, or as a greedy selection says.</summary>
    private static int[] Counts(TrainingPlan plan, Snapshot[] models)
    {
        if (plan.Spec.Prediction.Select != "greedy") return [.. models.Select(_ => 1)];
        var chosen = new ChosenConstituents([.. models.Select(model => new WeightFile(model.Member, model.Step, "", ""))], 0, IsGreedy: true);
        var fit = ValidationFit.OfAsync(plan, chosen, new Trained(plan, models)).GetAwaiter().GetResult();
        return [.. fit.Constituents.Select(fitted => fitted.Multiplicity)];
    }

    private sealed class Trained(TrainingPlan plan, Snapshot[] models) : IConstituents
    {
        public ValueTask<ConstituentAnswers> PredictAsync(ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows) =>
            ValueTask.FromResult(new ConstituentAnswers([.. models.Select(model => ImmutableCollectionsMarshal.AsImmutableArray(
                plan.Predict(Predictors.Create(plan, model.Weights, model.Member, monteCarloSamples), model.Member, rows)))]));
    }

    private sealed record Result(double Score, double Single, double Nll, double Seconds, int Members);
}

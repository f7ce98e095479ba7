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

    /// <param name="candidates">Specs that differ from the defaults.</param>
    /// <returns>Table after table, what each candidate gives.</returns>
    public IEnumerable<(PublicTable Table, DefaultsResult[] Candidates)> Run(IReadOnlyList<string> candidates) => Run(_ => candidates);

    /// <param name="candidatesOf">Those of a table.</param>
    /// <inheritdoc cref="Run(IReadOnlyList{string})"/>
    public IEnumerable<(PublicTable Table, DefaultsResult[] Candidates)> Run(Func<Dataset, IReadOnlyList<string>> candidatesOf)
    {
        foreach (var table in PublicTable.All(folder).Where(table => only.Count == 0 || only.Contains(table.Name)))
        {
            using var dataset = table.Load();
            yield return (table, [.. candidatesOf(dataset).Select(candidate => Measure(table, dataset, candidate))]);
        }
    }

    /// <param name="output">Gets a line for each table and candidate.</param>
    /// <inheritdoc cref="Run(IReadOnlyList{string})"/>
    public void Run(IReadOnlyList<string> candidates, TextWriter output)
    {
        foreach (var (_, results) in Run(candidates))
        {
            foreach (var result in results) output.WriteLine(JsonSerializer.Serialize(result, JsonSerializerOptions.Web));
            output.Flush();
        }
    }

    private DefaultsResult Measure(PublicTable table, Dataset dataset, string candidate)
    {
        var results = Enumerable.Range(0, folds).Select(fold => Measure(dataset, table.Merge(candidate), fold)).ToArray();
        return new DefaultsResult(
            table.Name, candidate, results.Average(result => result.Score), results.Average(result => result.Single),
            results.Average(result => result.Nll), results.Average(result => result.Seconds), folds, dataset.Train.Count, results[0].Members);
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

/// <param name="Single">The mean of the members'.</param>
/// <param name="Seconds">Of processor time, for the training of one fold.</param>
/// <param name="Rows">That train and measure.</param>
internal sealed record DefaultsResult(
    string Table, string Candidate, double Score, double Single, double Nll, double Seconds, int Folds, long Rows, int Members);

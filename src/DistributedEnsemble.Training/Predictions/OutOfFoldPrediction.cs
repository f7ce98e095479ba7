using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// What a run's training rows are answered by the members that did not see them, averaged (Stone, 1974; of bootstraps, Breiman's
/// out-of-bag predictions, 1996). Rows that every chosen member saw are left out.
/// </summary>
internal static class OutOfFoldPrediction
{
    /// <summary>Bytes of a page's numbers, if one row's are not more: far below what a message may have (100 MB).</summary>
    private const long MostBytes = 8L << 20;

    /// <summary>A page of them, from where the request says.</summary>
    /// <param name="mostBytes">Of a page's numbers, if one row's are not more.</param>
    /// <exception cref="SpecException">All members saw all rows, the page is none of the rows, or the task has no interval for the coverage.</exception>
    public static async Task<OutOfFoldPage> OfAsync(
        string run, TrainingPlan plan, ChosenConstituents chosen, ValidationFit? fit, IConstituents models, OutOfFoldRequest request, long mostBytes = MostBytes)
    {
        if (!plan.Spec.Data.HasOutOfFold)
        {
            throw new SpecException($"Run \"{run}\" has no rows out of fold: each of its members saw all of them. Train one with --folds 5, or with --bootstrap.");
        }

        ImmutableArray<OutputDescription> columns = [new("row", "INT64", []), plan.Task.TruthColumn, .. plan.Task.TableColumns(request.Coverage)];
        var range = RowRange.Of(plan, DataPart.OutOfFold).Cast<RowRange?>().FirstOrDefault(rows => request.Start >= rows!.Value.Start && request.Start < rows.Value.Start + rows.Value.Count)
            ?? throw new SpecException($"start is {request.Start}: no page of the rows that train begins there.");
        var selection = ConstituentSelection.Of(chosen, fit);
        var counted = chosen with { Constituents = selection.Constituents, IsGreedy = false };
        // A batch is computed whole, as its bits may depend on it, and answered as far as a page has room.
        var (from, most) = (request.Start - range.Start, Math.Max(1, mostBytes / (columns.Sum(column => column.Width) * sizeof(float))));
        var count = (int)Math.Min(most, range.Count - from);
        var targets = Enumerable.Range(request.Start, count).Select(place => plan.Dataset.Train.Targets[plan.Split.Training[place]]).ToArray();
        var answers = await MeasuredAnswers.AskAsync(plan, counted, models, range);
        if (count < range.Count) answers = [.. answers.Select(model => model[(from * plan.Task.Width)..((from + count) * plan.Task.Width)])];
        var kept = MeasuredAnswers.Answered(answers, count, plan.Task.Width);
        var task = plan.Task.FittedBy(fit);
        ImmutableArray<OutputValues> values = [];
        if (kept.Length > 0)
        {
            var (rows, known) = MeasuredAnswers.Average(answers, selection.Multiplicities, targets, task.Width);
            var predicted = task.Predict(rows.Mean, coverage: request.Coverage ?? PredictionRequest.DefaultCoverage);
            values =
            [
                new OutputValues("row") { Integers = [.. kept.Select(row => (long)plan.Split.Training[request.Start + row])] }, task.Truth(known),
                .. columns.Skip(2).Select(column => predicted.First(output => output.Name == column.Name)),
            ];
        }

        var next = request.Start + count;
        return new OutOfFoldPage(kept.Length, columns, values, next < plan.Rows.Count ? next : null);
    }

    /// <summary>All pages, each asked for when the one before was taken.</summary>
    /// <param name="ask">For the page from a row on.</param>
    public static PredictedRows All(Func<int, OutOfFoldPage> ask)
    {
        var first = ask(0);
        return new PredictedRows(first.Columns, [], Batches());

        IEnumerable<PredictedBatch> Batches()
        {
            for (var page = first; ; page = ask(page.Next!.Value))
            {
                if (page.Rows > 0) yield return new PredictedBatch(page.Rows, page.Values, [.. Enumerable.Repeat(Array.Empty<string>(), page.Rows)]);
                if (page.Next is null) yield break;
            }
        }
    }
}

using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>What models answer to the rows that choose and calibrate.</summary>
internal static class MeasuredAnswers
{
    /// <returns>Of each model [rows, width], not a number where the row is not the model's to answer; and the rows' targets.</returns>
    internal static async Task<(double[][] Answers, float[] Targets)> OfAsync(TrainingPlan plan, ChosenConstituents chosen, IConstituents models)
    {
        var part = plan.Measuring ?? throw new InvalidOperationException("There are no rows to measure on.");
        var targets = plan.Targets(part);
        var answers = chosen.Constituents.Select(_ => AnswerArray.New(targets.Length, plan.Task.Width)).ToArray();
        foreach (var rows in RowRange.Of(plan, part))
        {
            var found = await AskAsync(plan, chosen, models, rows);
            for (var i = 0; i < answers.Length; i++) found[i].CopyTo(answers[i], rows.Start * plan.Task.Width);
        }

        return (answers, targets);
    }

    /// <returns>Of each model [rows, width], not a number where the row is not the model's to answer.</returns>
    internal static async Task<double[][]> AskAsync(TrainingPlan plan, ChosenConstituents chosen, IConstituents models, RowRange rows)
    {
        var found = await models.PredictAsync(chosen.Constituents, chosen.MonteCarloSamples, rows);
        return [.. chosen.Constituents.Select((file, i) => rows.Part == DataPart.OutOfFold ? Spread(plan, file.Member, found.Values[i].AsSpan(), rows) : [.. found.Values[i]])];
    }

    /// <summary>The average of models, without the rows that none of them may answer to.</summary>
    internal static (AnswerRows Rows, float[] Targets) Average(IReadOnlyList<double[]> models, IReadOnlyList<int> multiplicities, float[] targets, int width)
    {
        if (!models.Any(HasGaps)) return (AnswerRows.Of([.. models.Select(model => (ReadOnlyMemory<double>)model)], multiplicities), targets);
        var kept = Answered(models, targets.Length, width);
        var some = kept.Length == targets.Length ? models : [.. models.Select(model => Kept(model, kept, width))];
        return (AnswerRows.OfSome([.. some.Select(model => (ReadOnlyMemory<double>)model)], multiplicities, width), [.. kept.Select(row => targets[row])]);
    }

    /// <summary>The rows that any of the models may answer to.</summary>
    internal static int[] Answered(IReadOnlyList<double[]> models, int rows, int width) =>
        [.. Enumerable.Range(0, rows).Where(row => models.Any(model => !double.IsNaN(model[row * width])))];

    internal static bool HasGaps(double[] answers) => Array.Exists(answers, double.IsNaN);

    /// <summary>The answers to some of the rows.</summary>
    internal static double[] Kept(double[] answers, int[] rows, int width)
    {
        var kept = AnswerArray.New(rows.Length, width);
        for (var i = 0; i < rows.Length; i++) answers.AsSpan(rows[i] * width, width).CopyTo(kept.AsSpan(i * width));
        return kept;
    }

    private static double[] Spread(TrainingPlan plan, int member, ReadOnlySpan<double> found, RowRange rows)
    {
        var (spread, unseen, width) = (AnswerArray.New(rows.Count, plan.Task.Width), plan.Rows.UnseenBy(member), plan.Task.Width);
        for (var row = 0; row < rows.Count; row++)
        {
            var answer = spread.AsSpan(row * width, width);
            if (!unseen[rows.Start + row])
            {
                answer.Fill(double.NaN);
                continue;
            }

            found[..width].CopyTo(answer);
            found = found[width..];
        }

        return spread;
    }
}

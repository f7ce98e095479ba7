using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>How much a run's score owes to which rows happen to test.</summary>
internal static class TestRows
{
    private const int Draws = 500;

    /// <summary>The deviation of a score over test rows that are drawn with replacement from those that there are (Efron, 1979).</summary>
    /// <param name="measure">What the score is.</param>
    public static double StandardError(RunFolder folder, RunStatus status, Dataset dataset, string measure)
    {
        var run = RunDescription.Read(folder);
        var model = RunModel.Of(run, new NetworkRegistry());
        var (rows, task, all) = (dataset.Test, model.Task, new AnswerMean());
        foreach (var file in ChosenConstituents.Of(status, run.Spec, model.Networks, null).Constituents)
        {
            using var weights = WeightFiles.LoadWeights(folder, file, model.Networks.Of(file.Member).Layout);
            all.Add(BatchedPrediction.OfRows(model.Predictor(weights, file.Member, 0), rows, 0, (int)rows.Count), 1);
        }

        var (answers, random, scores) = (all.ToArray(), new Random(1), new double[Draws]);
        for (var draw = 0; draw < Draws; draw++)
        {
            var (drawn, targets) = (new double[answers.Length], new float[rows.Count]);
            for (var i = 0; i < targets.Length; i++)
            {
                var row = random.Next(targets.Length);
                targets[i] = rows.Targets[row];
                answers.AsSpan(row * task.Width, task.Width).CopyTo(drawn.AsSpan(i * task.Width));
            }

            var quality = task.Quality();
            quality.Add(AnswerRows.Of(drawn), targets);
            scores[draw] = quality.Result()[measure];
        }

        var mean = scores.Average();
        return Math.Sqrt(scores.Average(score => (score - mean) * (score - mean)));
    }
}

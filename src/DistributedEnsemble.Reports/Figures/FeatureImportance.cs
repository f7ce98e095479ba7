using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>
/// How much worse test rows are predicted when one feature's values are dealt out among them anew (Breiman, 2001; Fisher, Rudin and
/// Dominici, 2019): of the ensemble, and of each model alone.
/// </summary>
/// <param name="Name">The column.</param>
/// <param name="Nll">By how much the ensemble's NLL grows.</param>
/// <param name="Models">By how much each model's own grows.</param>
internal sealed record FeatureImportance(string Name, double Nll, IReadOnlyList<double> Models)
{
    /// <summary>More rows say no more.</summary>
    public const int MostRows = 2000;

    /// <summary>More features, or models, take too long.</summary>
    public const int MostFeatures = 60, MostModels = 30;

    /// <summary>Of a table's features, the most important first; none of other data.</summary>
    public static IReadOnlyList<FeatureImportance> Of(RunFolder folder, TrainingPlan plan, LearningTask task, EvaluationReport report, int samples, DataDescription data)
    {
        if (data.Table is null) return [];
        var (test, models) = (plan.Dataset.Test, report.Weights.Take(MostModels).ToArray());
        var rows = (int)Math.Min(test.Count, MostRows);
        var (inputs, targets) = (test.InputsOf(0, rows).ToArray(), test.Targets[..rows]);
        // The same for every feature and model, and in every report.
        int[] inOrder = [.. Enumerable.Range(0, rows)], order = [.. inOrder];
        new Random(rows).Shuffle(order);
        var weights = models.Select(file => WeightFiles.LoadWeights(folder, file, plan.Networks.Of(file.Member).Layout)).ToArray();
        try
        {
            var predictors = models.Select((file, i) => Predictors.Create(plan, weights[i], file.Member, samples)).ToArray();
            var before = Measure(task, predictors, report, inputs, test.Width, targets);
            var (features, place) = (new List<FeatureImportance>(), 0);
            var dealt = inputs.ToArray();
            foreach (var feature in data.Features.Take(MostFeatures))
            {
                CopyFeature(order);
                var after = Measure(task, predictors, report, dealt, test.Width, targets);
                CopyFeature(inOrder);
                features.Add(new FeatureImportance(feature.Name, after.Ensemble - before.Ensemble, [.. after.Models.Zip(before.Models, (one, other) => one - other)]));
                place += feature.Inputs;

                // Only what is the feature's own is another's, and then its own again.
                void CopyFeature(int[] from)
                {
                    for (var row = 0; row < rows; row++)
                        inputs.AsSpan((from[row] * test.Width) + place, feature.Inputs).CopyTo(dealt.AsSpan((row * test.Width) + place, feature.Inputs));
                }
            }

            return [.. features.OrderByDescending(feature => feature.Nll)];
        }
        finally
        {
            foreach (var loaded in weights) loaded.Dispose();
        }
    }

    private static (double Ensemble, double[] Models) Measure(
        LearningTask task, IPredictor[] predictors, EvaluationReport report, float[] inputs, int width, float[] targets)
    {
        var answers = predictors.Select(predictor => (ReadOnlyMemory<double>)BatchedPrediction.Of(predictor, inputs, width)).ToArray();
        return (Nll(AnswerRows.Of(answers, [.. report.Multiplicities.Take(answers.Length)])), [.. answers.Select(model => Nll(AnswerRows.Of(model)))]);

        double Nll(AnswerRows rows)
        {
            var quality = task.Quality();
            quality.Add(rows, targets);
            return quality.Result().Nll;
        }
    }
}

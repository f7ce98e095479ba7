using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Confidence against accuracy.</summary>
/// <param name="Bins">Of equal width in confidence, ascending; empty ones are left out.</param>
public sealed record Reliability(string Title, double Ece, IReadOnlyList<ReliabilityBin> Bins)
{
    private const int Count = ClassificationQuality.Bins;

    /// <param name="models">
    /// Answers of each to all rows. Their rows are pooled in the bins; the ECE is the mean of each model's own, as the tables have it.
    /// </param>
    /// <param name="isCalibrated">Whether the models are shown as they are after calibration.</param>
    public static Reliability Of(
        string title, Classification task, IEnumerable<double[]> models, ReadOnlySpan<float> targets, bool isCalibrated = false)
    {
        var bins = new (int Rows, double Confidence, int Right)[Count];
        var errors = new List<double>();
        foreach (var model in models)
        {
            errors.Add(ClassificationQuality.Of(task, model, targets, isCalibrated)["ece"]);
            var predictions = task.Predict(model, isCalibrated);
            var (probabilities, labels) = (predictions.First(output => output.Name == "probabilities"), predictions.First(output => output.Name == "label_index"));
            for (var row = 0; row < targets.Length; row++)
            {
                var best = (int)labels.Integers[row];
                var confidence = probabilities.Numbers[row * task.Classes.Count + best];
                ref var bin = ref bins[Math.Clamp((int)Math.Ceiling((double)confidence * Count) - 1, 0, Count - 1)];
                bin = (bin.Rows + 1, bin.Confidence + confidence, bin.Right + (best == (int)targets[row] ? 1 : 0));
            }
        }

        double rows = bins.Sum(bin => bin.Rows);
        return new Reliability(
            title, errors.Average(),
            [.. bins.Where(bin => bin.Rows > 0).Select(bin => new ReliabilityBin(bin.Confidence / bin.Rows, (double)bin.Right / bin.Rows, bin.Rows / rows))]);
    }
}

/// <param name="Confidence">The mean probability of the class that was named.</param>
/// <param name="Accuracy">How often that class was right.</param>
/// <param name="Share">Of all rows.</param>
public readonly record struct ReliabilityBin(double Confidence, double Accuracy, double Share);

/// <summary>The share of rows for which two models name different classes.</summary>
/// <param name="Groups">The member of each model.</param>
public sealed record Disagreements(IReadOnlyList<int> Groups, IReadOnlyList<IReadOnlyList<double>> Matrix)
{
    /// <param name="models">Answers of each to all rows.</param>
    public static Disagreements Of(Classification task, IReadOnlyList<int> groups, IReadOnlyList<double[]> models, ReadOnlySpan<float> targets)
    {
        var diversity = new ClassDiversity(task, models.Count, targets.Length);
        for (var i = 0; i < models.Count; i++) diversity.Add(i, 0, models[i], targets);
        return new Disagreements(groups, [.. models.Select((_, i) => models.Select((_, j) => diversity.Disagreement(i, j)).ToArray())]);
    }
}

/// <summary>How training went, with the schedule and the snapshots.</summary>
/// <param name="Members">The metric lines of each member.</param>
/// <param name="Snapshots">The steps at which weights were kept.</param>
/// <param name="Names">Of the members; null leaves them without.</param>
public sealed record LearningCurves(
    string Title, IReadOnlyList<IReadOnlyList<StepMetrics>> Members, IReadOnlyList<int> Snapshots, IReadOnlyList<string>? Names = null);

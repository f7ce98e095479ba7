using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>What the models of a run answer to its test split.</summary>
/// <param name="Answers">[rows, width] of each, in the order in which they are summed.</param>
/// <param name="Targets">[rows].</param>
internal sealed record EvaluatedModels(EvaluationReport Report, double[][] Answers, float[] Targets)
{
    public int Count => Answers.Length;

    /// <summary>The first so many together, each as often as it counts in the whole.</summary>
    public AnswerRows First(int count) =>
        AnswerRows.Of([.. Answers.Take(count).Select(answers => (ReadOnlyMemory<double>)answers)], [.. Report.Multiplicities.Take(count)]);

    /// <summary>A measure of the first 1, 2, … models together; the whole is the last.</summary>
    public double[] BySize(LearningTask task, string measure) => [.. Enumerable.Range(1, Count).Select(count =>
    {
        var quality = task.Quality();
        quality.Add(First(count), Targets);
        return quality.Result()[measure];
    })];

    /// <summary>What the models are to readers.</summary>
    public string Unit => Report.Members == Count ? "members" : "models";
}

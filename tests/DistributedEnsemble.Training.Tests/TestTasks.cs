using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests;

internal static class TestTasks
{
    /// <summary>Classes that are called by their numbers.</summary>
    public static Classification Classes(int count) => new([.. Enumerable.Range(0, count).Select(i => $"{i}")]);

    /// <summary>Answers of given probabilities, [rows, classes].</summary>
    public static double[] Answers(int classes, params ReadOnlySpan<double> probabilities)
    {
        var answers = new double[probabilities.Length / classes * (classes + 1)];
        for (var row = 0; row < probabilities.Length / classes; row++)
        {
            var ofRow = probabilities.Slice(row * classes, classes);
            ofRow.CopyTo(answers.AsSpan(row * (classes + 1)));
            answers[(row + 1) * (classes + 1) - 1] = Uncertainty.Entropy(ofRow);
        }

        return answers;
    }
}

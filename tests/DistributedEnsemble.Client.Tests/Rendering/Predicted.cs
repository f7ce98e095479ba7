using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Client.Tests.Rendering;

internal static class Predicted
{
    /// <param name="answers">[rows, width], as the task defines them.</param>
    public static PredictedRows Of(LearningTask task, params double[] answers)
    {
        OutputDescription[] columns = [.. task.Columns.Select(name => task.Predictions.First(output => output.Name == name))];
        var rows = answers.Length / task.Width;
        return new PredictedRows(columns, [], [PredictedBatch.Of(columns, rows, task.Predict(answers), [.. Enumerable.Repeat(Array.Empty<string>(), rows)])]);
    }
}

using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>The plots that make sense for a task. One that is not known here has none.</summary>
internal static class TaskFigures
{
    public static IEnumerable<(string File, string Title, Figure Figure)> Of(LearningTask task, EvaluatedModels models) => task switch
    {
        Classification classification => ClassificationFigures.Of(classification, models),
        Regression regression => RegressionFigures.Of(regression, models),
        _ => [],
    };
}

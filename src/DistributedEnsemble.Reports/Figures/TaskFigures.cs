using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>The plots that make sense for a task.</summary>
internal static class TaskFigures
{
    public static IEnumerable<(string File, string Title, Figure Figure)> Of(LearningTask task, EvaluatedModels models) => task.Kind switch
    {
        TaskKind.Classification => ClassificationFigures.Of((Classification)task, models),
        TaskKind.Regression => RegressionFigures.Of((Regression)task, models),
    };
}

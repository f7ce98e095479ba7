using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>Test rows that are worth a look.</summary>
/// <param name="Row">Of the test split, from 0.</param>
/// <param name="Truth">What it is.</param>
/// <param name="Said">What the ensemble says of it.</param>
internal sealed record RemarkableRow(int Row, string Truth, string Said);

/// <param name="Uncertain">Those that the ensemble is least sure of.</param>
/// <param name="Wrong">Those whose truth it holds for least likely.</param>
internal sealed record RemarkableRows(IReadOnlyList<RemarkableRow> Uncertain, IReadOnlyList<RemarkableRow> Wrong)
{
    private const int Most = 12;

    public static RemarkableRows Of(LearningTask task, EvaluatedModels models)
    {
        var mean = models.First(models.Count).Mean;
        var (values, likelihoods) = (task.Predict(mean), task.Likelihoods(mean, models.Targets));
        var spread = values.First(output => output.Name is "entropy" or "standard_deviation").Numbers;
        RemarkableRow Row(int row) => new(row, TruthOf(task, models.Targets[row]), SaidOf(task, values, row));
        return new RemarkableRows(
            [.. Enumerable.Range(0, models.Targets.Length).OrderByDescending(row => spread[row]).Take(Most).Select(Row)],
            [.. Enumerable.Range(0, models.Targets.Length).OrderBy(row => likelihoods[row]).Take(Most).Select(Row)]);
    }

    private static string TruthOf(LearningTask task, float target) => task.Kind switch
    {
        TaskKind.Classification => ((Classification)task).Classes[(int)target],
        TaskKind.Regression => FormattableString.Invariant($"{(target * ((Regression)task).Deviation) + ((Regression)task).Mean:G5}"),
    };

    private static string SaidOf(LearningTask task, IReadOnlyList<OutputValues> values, int row)
    {
        OutputValues Of(string name) => values.First(output => output.Name == name);
        return task.Kind switch
        {
            TaskKind.Classification => FormattableString.Invariant(
                $"{Of("label").Texts[row]}, {100 * Of("probabilities").Numbers[(row * ((Classification)task).Classes.Count) + (int)Of("label_index").Integers[row]]:0} %"),
            TaskKind.Regression => FormattableString.Invariant($"{Of("mean").Numbers[row]:G5} ± {Of("standard_deviation").Numbers[row]:G3}"),
        };
    }
}

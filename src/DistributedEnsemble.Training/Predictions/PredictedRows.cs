using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>Predictions of rows, batch after batch, as columns of a table.</summary>
/// <param name="Columns">What each batch has, in this order.</param>
/// <param name="PassedColumns">Columns of the table that nothing is known of.</param>
/// <param name="Batches">Predicted as they are asked for, and once.</param>
internal sealed record PredictedRows(
    IReadOnlyList<OutputDescription> Columns, IReadOnlyList<string> PassedColumns, IEnumerable<PredictedBatch> Batches)
{
    /// <summary>With the first batch predicted: what is wrong with all of them is known before anything is written.</summary>
    public static PredictedRows Begin(IReadOnlyList<OutputDescription> columns, IReadOnlyList<string> passedColumns, IEnumerable<PredictedBatch> batches)
    {
        var all = batches.GetEnumerator();
        return new PredictedRows(columns, passedColumns, all.MoveNext() ? Rest(all) : []);
    }

    private static IEnumerable<PredictedBatch> Rest(IEnumerator<PredictedBatch> batches)
    {
        using (batches)
        {
            do yield return batches.Current;
            while (batches.MoveNext());
        }
    }
}

/// <param name="Values">Of each of the columns.</param>
/// <param name="Passed">Of each row, the cells of the passed columns.</param>
internal sealed record PredictedBatch(int Rows, IReadOnlyList<OutputValues> Values, IReadOnlyList<string[]> Passed)
{
    /// <summary>The columns of a task, out of all that it predicts.</summary>
    public static PredictedBatch Of(IReadOnlyList<OutputDescription> columns, int rows, IReadOnlyList<OutputValues> predictions, IReadOnlyList<string[]> passed) =>
        new(rows, [.. columns.Select(column => predictions.First(values => values.Name == column.Name))], passed);
}

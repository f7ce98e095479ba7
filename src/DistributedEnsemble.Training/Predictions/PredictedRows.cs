namespace DistributedEnsemble.Training;

/// <summary>Predictions of rows, batch after batch, as columns of a table.</summary>
/// <param name="Columns">What each batch has, in this order.</param>
public sealed record PredictedRows(IReadOnlyList<OutputDescription> Columns, IReadOnlyList<PredictedBatch> Batches);

/// <param name="Values">Of each of the columns.</param>
public sealed record PredictedBatch(int Rows, IReadOnlyList<OutputValues> Values)
{
    /// <summary>The columns of a task, out of all that it predicts.</summary>
    public static PredictedBatch Of(IReadOnlyList<OutputDescription> columns, int rows, IReadOnlyList<OutputValues> predictions) =>
        new(rows, [.. columns.Select(column => predictions.First(values => values.Name == column.Name))]);
}

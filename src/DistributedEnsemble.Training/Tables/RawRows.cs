namespace DistributedEnsemble.Training.Tables;

/// <summary>Rows that somebody wants predictions for, as a table's file has them.</summary>
public static class RawRows
{
    /// <summary>
    /// Inputs before the run's preprocessing, row after row, in batches of <see cref="BatchedPrediction.BatchSize"/> rows. The
    /// file's columns are matched by name, in any order; those that the run does not know are passed over.
    /// </summary>
    /// <param name="table">Seekable; it is read from its beginning.</param>
    /// <param name="file">What errors call it.</param>
    /// <exception cref="DataException">A column is missing, or a cell does not fit its column.</exception>
    public static IEnumerable<float[]> Read(Stream table, string file, DataDescription description)
    {
        using var rows = PredictedTable.Open(table, file, description);
        var features = FeatureCells.Match(rows.Columns, description.Features, file);
        var width = (int)description.Inputs.Width;
        var (batch, filled) = (Array.Empty<float>(), 0);
        while (rows.Read())
        {
            if (filled == batch.Length)
            {
                if (filled > 0) yield return batch;
                (batch, filled) = (new float[BatchedPrediction.BatchSize * width], 0);
            }

            features.Encode(rows, batch.AsSpan(filled, width));
            filled += width;
        }

        if (filled > 0) yield return batch[..filled];
    }
}

/// <summary>A table to predict, which may be written otherwise than the one that was trained on.</summary>
internal static class PredictedTable
{
    public static ITableRows Open(Stream table, string file, DataDescription description)
    {
        var bytes = new TableFile(file, () =>
        {
            table.Position = 0;
            return new PrefixedStream(ReadOnlyMemory<byte>.Empty, table, leaveOpen: true);
        });
        var format = bytes.Detect(header: true);
        if (description.Table is not { Format.Header: false }) return bytes.Read(format);

        // Its columns have no names but their places, unless somebody wrote these down.
        using var named = bytes.Read(format);
        var isNamed = description.Features.All(feature => named.Columns.Contains(feature.Name));
        return bytes.Read(format with { Header = isNamed });
    }
}

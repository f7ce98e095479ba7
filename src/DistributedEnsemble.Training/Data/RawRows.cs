namespace DistributedEnsemble.Training;

/// <summary>Rows that somebody wants predictions for, as a CSV file.</summary>
public static class RawRows
{
    /// <summary>
    /// Raw numbers, row after row, in the order of the run's columns, in batches of <see cref="BatchedPrediction.BatchSize"/>
    /// rows. The file's columns are matched by name, in any order; its label column is ignored.
    /// </summary>
    /// <param name="file">What errors call it.</param>
    /// <exception cref="DataException">The file breaks a rule of CSV data, or has other columns than the run's data.</exception>
    public static IEnumerable<float[]> Read(Stream csv, string file, DataDescription description)
    {
        using var table = new CsvTable(csv, file);
        var features = Features(table, description);
        var (batch, filled) = (Array.Empty<float>(), 0);
        while (table.Read())
        {
            if (filled == batch.Length)
            {
                if (filled > 0) yield return batch;
                (batch, filled) = (new float[BatchedPrediction.BatchSize * features.Length], 0);
            }

            foreach (var column in features) batch[filled++] = table.Number(column);
        }

        if (filled > 0) yield return batch[..filled];
    }

    private static int[] Features(CsvTable table, DataDescription description)
    {
        var places = table.Columns.Index().ToDictionary(column => column.Item, column => column.Index);
        var features = description.Columns.Select(name => places.TryGetValue(name, out var place)
            ? place
            : throw table.Error($"the column {Excerpt.Of(name)}, a feature of {description.Dataset}, is missing")).ToArray();
        var known = description.Columns.Append(description.Task.Target ?? CsvRows.LabelName).Append(CsvRows.LabelName).ToHashSet();
        foreach (var (place, name) in table.Columns.Index())
        {
            if (!known.Contains(name))
                throw table.Error($"line 1, column {place + 1} ({Excerpt.Of(name)}) is not a feature of {description.Dataset}; remove it");
        }

        return features;
    }
}

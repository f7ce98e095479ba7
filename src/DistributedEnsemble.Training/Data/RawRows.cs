namespace DistributedEnsemble.Training;

/// <summary>Rows that somebody wants predictions for, as a CSV file.</summary>
public static class RawRows
{
    /// <summary>
    /// Raw numbers, row after row, in the order of the run's columns. The file's columns are matched by name, in any order;
    /// its label column is ignored.
    /// </summary>
    /// <param name="file">What errors call it.</param>
    /// <exception cref="DataException">The file breaks a rule of CSV data, or has other columns than the run's data.</exception>
    public static float[] Read(Stream csv, string file, DataDescription description)
    {
        using var table = new CsvTable(csv, file);
        var places = table.Columns.Index().ToDictionary(column => column.Item, column => column.Index);
        var features = description.Columns.Select(name => places.TryGetValue(name, out var place)
            ? place
            : throw table.Error($"the column {Excerpt.Of(name)}, a feature of {description.Dataset}, is missing")).ToArray();
        CheckNoOthers(table, description);

        var rows = new List<float>();
        while (table.Read())
        {
            foreach (var column in features) rows.Add(table.Number(column));
        }

        return [.. rows];
    }

    private static void CheckNoOthers(CsvTable table, DataDescription description)
    {
        var known = description.Columns.Append(description.LabelColumn ?? CsvRows.LabelName).Append(CsvRows.LabelName).ToHashSet();
        foreach (var (place, name) in table.Columns.Index())
        {
            if (!known.Contains(name))
                throw table.Error($"line 1, column {place + 1} ({Excerpt.Of(name)}) is not a feature of {description.Dataset}; remove it");
        }
    }
}

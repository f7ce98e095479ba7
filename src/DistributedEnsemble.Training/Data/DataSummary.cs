using System.Globalization;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Images;

namespace DistributedEnsemble.Training.Data;

/// <summary>What a run learns, in a line: said before it is trained.</summary>
internal static class DataSummary
{
    private const int MostNamed = 6;

    /// <summary>Target, task, classes or range, rows, features, inputs, and what was left out.</summary>
    /// <returns>Null of data that is built in.</returns>
    public static string? Of(DataDescription data)
    {
        if (data.Images is { } images) return Of(data, images);
        if (data.Table is not { } table) return null;
        var (train, validation, test) = data.Splits;
        var parts = new List<string>
        {
            $"{data.Dataset}: {data.Task.Name} of {OneLine.Quoted(data.Task.Target!)} ({data.Task.Outcomes})",
            $"{Count(train + validation + test)} rows ({Count(train)} train, {Count(validation)} validate, {Count(test)} test)",
            $"{Count(data.Columns.Length)} {Plural.Of(data.Columns.Length, "feature")}, {Count(data.Inputs.Width)} {Plural.Of(data.Inputs.Width, "input")}",
        };
        if (table.RowsWithoutTarget > 0) parts.Add($"{Count(table.RowsWithoutTarget)} {Plural.Of(table.RowsWithoutTarget, "row")} without target");
        var leftOut = table.Columns.Where(column => column.Inputs == 0).ToArray();
        if (leftOut.Length > 0)
        {
            parts.Add($"left out: {string.Join(", ", leftOut.Take(MostNamed).Select(column => $"{OneLine.Quoted(column.Name)} ({column.Note})"))}"
                + (leftOut.Length > MostNamed ? $" and {leftOut.Length - MostNamed} more" : ""));
        }

        return string.Join("; ", parts);
    }

    /// <summary>What else people should know: a sentence each.</summary>
    public static IEnumerable<string> Notes(DataDescription data) =>
        data.Images is { } images ? ImageDescription.NotesOf(images.Damaged, images.DamagedFiles) : data.Table?.Notes ?? [];

    private static string Of(DataDescription data, ImageDescription images) =>
        $"{data.Dataset}: {data.Task.Name} ({data.Task.Outcomes}); {Count(data.Splits.Train + data.Splits.Validation + data.Splits.Test)} images "
        + $"({Count(data.Splits.Train)} train, {Count(data.Splits.Validation)} validate, {Count(data.Splits.Test)} test), {images.Size}×{images.Size} {(images.Channels == 1 ? "grey" : "colour")} pixels";

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}

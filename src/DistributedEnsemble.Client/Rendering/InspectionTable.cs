using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Tables;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What a table is taken for, for people. Names, cells and notes come from data, and a terminal obeys control characters.</summary>
internal static class InspectionTable
{
    /// <param name="inFlags">Says a note in the words of a command line.</param>
    public static void Write(IAnsiConsole console, TableInspection inspection, Func<string, string> inFlags)
    {
        console.WriteRaw($"{OneLine.Of(inspection.File)}: {Words.Plural(inspection.Rows, "row")}, {Words.Plural(inspection.Columns.Count, "column")}; {inspection.Format}");
        if (inspection.Target is { } target)
        {
            var without = inspection.RowsWithoutTarget > 0 ? $"; {Words.Plural(inspection.RowsWithoutTarget, "row")} {(inspection.RowsWithoutTarget == 1 ? "has no target and is" : "have no target and are")} left out" : "";
            console.WriteRaw($"target: {OneLine.Of(target)} (--target C chooses another), task: {inspection.Task?.ToString().ToLowerInvariant()} (--task T){without}");
            console.WriteRaw($"members: {inspection.Networks} (--members N, --set model.kind=K)");
        }

        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("column").AddColumn("kind").AddColumn("missing", column => column.RightAligned()).AddColumn("distinct", column => column.RightAligned())
            .AddColumn("inputs", column => column.RightAligned()).AddColumn("range or commonest").AddColumn("note");
        foreach (var column in inspection.Columns)
        {
            table.AddRow(
                new Text(OneLine.Of(column.Name)), new Text(column.Kind, new Style(column.Inputs == 0 && column.Kind != "target" ? Color.Grey : null)), new Text($"{column.Missing:N0}"),
                new Text($"{(column.HasMore ? ">" : "")}{column.Distinct:N0}"), new Text($"{column.Inputs:N0}"), new Text(OneLine.Of(column.Contents)), new Text(OneLine.Of(column.Note)));
        }

        console.Write(table);
        foreach (var note in inspection.Notes) console.WriteRaw($"Note: {inFlags(OneLine.Of(note))}");
    }
}

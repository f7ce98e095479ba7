using DistributedEnsemble.Client.Data;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What can be trained on, and where it was looked for.</summary>
internal static class DatasetTable
{
    public static Table Of(IReadOnlyList<DatasetEntry> datasets)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("dataset", column => column.NoWrap()).AddColumn("found")
            .AddColumn("train rows", column => column.RightAligned()).AddColumn("test rows", column => column.RightAligned())
            .AddColumn("classes", column => column.RightAligned())
            .AddColumn("description").AddColumn("looked for in");
        foreach (var dataset in datasets)
        {
            table.AddRow(
                new Text(dataset.Name), new Text(dataset.Found ? "yes" : "no", new Style(dataset.Found ? Color.Green : Color.Grey)),
                Number(dataset.TrainRows), Number(dataset.TestRows), Number(dataset.Classes),
                new Text(dataset.Description), new Text(string.Join('\n', dataset.Places)));
        }
        return table;
    }

    private static Text Number(int? number) => new(number is { } value ? Words.Count(value) : Words.Unknown);
}

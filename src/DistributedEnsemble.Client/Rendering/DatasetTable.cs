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
            .AddColumn("description").AddColumn("looked for in");
        foreach (var dataset in datasets)
        {
            table.AddRow(
                new Text(dataset.Name), new Text(dataset.Found ? "yes" : "no", new Style(dataset.Found ? Color.Green : Color.Grey)),
                new Text(dataset.Description), new Text(string.Join('\n', dataset.Places)));
        }
        return table;
    }
}

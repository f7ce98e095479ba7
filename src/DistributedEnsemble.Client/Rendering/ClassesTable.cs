using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What an ensemble says of each class: precision, recall, and the class that it takes for it most often.</summary>
internal static class ClassesTable
{
    private const int MostClasses = 20, LongestName = 40;

    public static Table Of(ClassTable classes)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("class");
        foreach (var heading in new[] { "rows", "precision", "recall" }) table.AddColumn(heading, column => column.RightAligned());
        table.AddColumn("most often taken for");
        foreach (var (i, name) in classes.Classes.Index().Take(MostClasses))
        {
            var (other, rows) = classes.Confusion[i].Index().Where(cell => cell.Index != i).MaxBy(cell => cell.Item);
            table.AddRow(
                new Text(NameOf(name)), new Text(Words.Count(classes.Confusion[i].Sum())), new Text(Share(classes.Precision[i])), new Text(Share(classes.Recall[i])),
                new Text(rows == 0 ? "" : $"{NameOf(classes.Classes[other])} ({Words.Plural(rows, "row")})"));
        }

        if (classes.Classes.Length > MostClasses) table.AddRow(new Text($"and {classes.Classes.Length - MostClasses} more"));
        return table;
    }

    /// <summary>Classes come from data, and a terminal obeys control characters.</summary>
    private static string NameOf(string name) => OneLine.Of(name, LongestName);

    private static string Share(double? share) => share is { } value ? $"{100 * value:0.0} %" : Words.Unknown;
}

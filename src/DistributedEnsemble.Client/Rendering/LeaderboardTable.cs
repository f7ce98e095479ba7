using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>The single models of an ensemble on the test split, the best first, under the ensemble.</summary>
internal static class LeaderboardTable
{
    private const int MostRows = 20, MostMeasures = 5;

    public static Table Of(EvaluationReport report)
    {
        string[] measures = [.. report.Ensemble.All.Select(measure => measure.Name).Take(MostMeasures)];
        var table = new Table().Border(TableBorder.Simple).AddColumn("leaderboard").AddColumn("step", column => column.RightAligned());
        foreach (var measure in measures) table.AddColumn(MeasureWords.Heading(measure), column => column.RightAligned());
        string[] keys = report.Settings.IsDefaultOrEmpty ? [] : [.. report.Settings[0].Select(setting => setting.Key)];
        foreach (var key in keys) table.AddColumn(Markup.Escape(SpecValues.ShortName(key, keys)));
        table.AddRow([.. Cells("ensemble", "", report.Ensemble, null).Select(cell => $"[bold]{cell}[/]")]);
        var entries = LeaderboardEntry.Of(report);
        foreach (var entry in entries.Take(MostRows)) table.AddRow(Cells($"member {entry.Member}", Words.Count(entry.Step), entry.Measures, entry));
        if (entries.Length > MostRows) table.AddRow($"and {entries.Length - MostRows} more");
        return table;

        string[] Cells(string name, string step, Measures of, LeaderboardEntry? entry) =>
        [
            name, step, .. measures.Select(measure => MeasureWords.Value(measure, of.Find(measure))),
            .. keys.Select(key => entry is null ? "" : Markup.Escape(OneLine.Of(SpecValues.Plainly(entry.Settings![key]?.ToJsonString())))),
        ];
    }
}

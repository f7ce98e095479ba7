using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports;
using Spectre.Console;
using static System.FormattableString;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>The ensemble beside the single models that it improves: the task's first measure, and the NLL.</summary>
internal static class ResultTable
{
    /// <param name="earlyExit">The probability with which rows ask fewer members; null shows none.</param>
    public static Table Of(EvaluationReport report, double? earlyExit = null)
    {
        var (mean, best, ensemble) = (report.Single.Mean, report.Single.Best, report.Ensemble);
        string[] measures = [ensemble.All[0].Name, "nll"];
        var table = new Table().Border(TableBorder.Simple).AddColumn("test split");
        foreach (var measure in measures) table.AddColumn(MeasureWords.Heading(measure), column => column.RightAligned());
        // One model alone, as a student is, is its own mean, best and ensemble.
        var isAlone = report is { Members: 1, Constituents: 1 };
        if (!isAlone) Add("mean member", mean, "{0}");
        if (!isAlone && best is not null) Add($"best member ({report.Single.BestMember})", best, "{0}");
        Add(isAlone ? "the model" : $"ensemble of {report.Constituents}", ensemble, "[bold]{0}[/]");
        foreach (var exit in report.EarlyExits.Where(exit => exit.Probability == earlyExit))
            Add(Invariant($"early exit {exit.Probability}: {exit.Members:0.0#} members a row, {exit.Changed:P2} changed"), exit.Measures, "{0}");
        if (!isAlone) AddGain("gain over the mean member", mean);
        if (!isAlone && best is not null) AddGain("gain over the best member", best);
        if (report.Teacher is { } teacher)
        {
            Add($"teacher {teacher.Run}, ensemble of {teacher.Constituents}", teacher.Ensemble, "{0}");
            Add("teacher's mean member", teacher.Single, "{0}");
            table.AddRow(["kept of the teacher's gain", .. measures.Select(measure => TeacherGain.Kept(report, measure) is { } kept ? Invariant($"{kept:P0}") : "")]);
        }

        return table;

        void Add(string name, Measures of, string style) => table.AddRow(
            [.. measures.Select(measure => MeasureWords.Value(measure, of.Find(measure))).Prepend(name).Select(cell => string.Format(style, cell))]);

        void AddGain(string name, Measures single) => table.AddRow(
            [name, .. measures.Select(measure => MeasureWords.Difference(measure, ensemble.Find(measure), single.Find(measure)))]);
    }
}

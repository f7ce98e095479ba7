using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What else is known of an ensemble: its other measures, how well it is calibrated, how sure it is, how different its models are.</summary>
internal static class MeasuresTable
{
    public static Table Of(EvaluationReport report)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn($"ensemble of {report.Constituents}").AddColumn("value", column => column.RightAligned()).AddColumn("meaning");
        foreach (var (name, value) in report.Ensemble.All.Skip(1).Where(measure => measure.Name != "nll"))
        {
            table.AddRow(
                MeasureWords.Heading(name), MeasureWords.Value(name, value),
                $"{MeasureWords.Meaning(name)}; mean model {MeasureWords.Value(name, report.Single.Mean.Find(name))}");
        }

        foreach (var (name, value) in report.Calibrated?.All ?? [])
        {
            if (report.Ensemble.All.All(measure => measure.Name != name))
                table.AddRow(MeasureWords.Heading(name), MeasureWords.Value(name, value), MeasureWords.Meaning(name));
            else if (value != report.Ensemble.Find(name))
                table.AddRow($"calibrated {MeasureWords.Heading(name)}", MeasureWords.Value(name, value), "after that calibration");
        }

        foreach (var (name, value) in (report.Uncertainty?.All ?? []).Concat(report.Diversity?.All ?? []).Where(measure => measure.Value is not null))
            table.AddRow(MeasureWords.Heading(name), MeasureWords.Value(name, value), MeasureWords.Meaning(name));

        if (report.Validation is { } validation)
        {
            var rows = $"on {Words.Count(validation.Rows)} {(validation.OutOfFold ? "training rows, each by the members that did not see it" : "validation rows")}";
            foreach (var name in new[] { validation.Measures.All[0].Name, "nll" })
                table.AddRow($"{(validation.OutOfFold ? "out-of-fold" : "validation")} {MeasureWords.Heading(name)}", MeasureWords.Value(name, validation.Measures.Find(name)), rows);
        }

        if (report.Conformal is { } conformal)
        {
            var what = report.Classes is null ? "intervals, mean width" : "sets, mean number of classes";
            table.AddRow(
                $"conformal {100 * conformal.Coverage:0.##} %", $"{100 * conformal.Test:0.00} %",
                $"test rows whose truth lies within the {what} {MeasureWords.Value("size", conformal.Size)}");
        }

        if (report.Multiplicities.Any(times => times != 1))
        {
            var weights = report.Weights.Zip(report.Multiplicities, (file, times) => $"{file.Member}@{file.Step}×{times}");
            table.AddRow("selected", $"{report.Multiplicities.Sum()}", $"member@step×weight: {string.Join(", ", weights)}");
        }

        return table;
    }
}

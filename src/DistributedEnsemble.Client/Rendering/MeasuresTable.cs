using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What else is known of an ensemble: how well it is calibrated, how sure it is, how different its models are.</summary>
internal static class MeasuresTable
{
    public static Table Of(EvaluationReport report)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn($"ensemble of {report.Constituents}").AddColumn("value", column => column.RightAligned()).AddColumn("meaning");
        table.AddRow("Brier score", Number(report.Ensemble.Brier), $"squared distance from the truth; mean model {Number(report.Single.Mean.Brier)}");
        table.AddRow("ECE", Number(report.Ensemble.Ece), $"gap between confidence and accuracy; mean model {Number(report.Single.Mean.Ece)}");
        if (report.Calibrated is { } calibrated)
        {
            table.AddRow("calibrated NLL", Number(calibrated.Nll), $"at temperature {calibrated.Temperature:0.000}, fitted on the validation split");
            table.AddRow("calibrated ECE", Number(calibrated.Ece), "at the same temperature");
        }

        if (report.Uncertainty is { } uncertainty)
        {
            table.AddRow("entropy", Number(uncertainty.Entropy), "nats: all uncertainty");
            table.AddRow("mutual information", Number(uncertainty.MutualInformation), "nats: the part on which the models disagree");
        }

        if (report.Diversity is { } diversity)
        {
            table.AddRow("disagreement", $"{100 * diversity.Disagreement:0.00} %", "rows for which two models name different classes");
            if (diversity.ErrorCorrelation is { } correlation) table.AddRow("error correlation", Number(correlation), "of two models over the rows");
        }

        if (report.Multiplicities.Any(times => times != 1))
        {
            var weights = report.Weights.Zip(report.Multiplicities, (file, times) => $"{file.Member}@{file.Step}×{times}");
            table.AddRow("selected", $"{report.Multiplicities.Sum()}", $"member@step×weight: {string.Join(", ", weights)}");
        }

        return table;
    }

    private static string Number(double value) => value.ToString("0.0000");
}

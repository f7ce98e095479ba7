using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>The ensemble beside the single models that it improves.</summary>
internal static class ResultTable
{
    public static Table Of(EvaluationReport report)
    {
        var (mean, best, ensemble) = (report.Single.Mean, report.Single.Best, report.Ensemble);
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("test split")
            .AddColumn("accuracy", column => column.RightAligned())
            .AddColumn("NLL", column => column.RightAligned());
        table.AddRow("mean member", Accuracy(mean), Nll(mean));
        if (best is not null) table.AddRow($"best member ({report.Single.BestMember})", Accuracy(best), Nll(best));
        table.AddRow($"[bold]ensemble of {report.Constituents}[/]", $"[bold]{Accuracy(ensemble)}[/]", $"[bold]{Nll(ensemble)}[/]");
        AddGain(table, "gain over the mean member", ensemble, mean);
        if (best is not null) AddGain(table, "gain over the best member", ensemble, best);
        return table;
    }

    private static void AddGain(Table table, string name, PredictionMetrics ensemble, PredictionMetrics single) =>
        table.AddRow(
            name, (100 * (ensemble.Accuracy - single.Accuracy)).ToString("+0.00;-0.00;0.00"),
            (ensemble.Nll - single.Nll).ToString("+0.0000;-0.0000;0.0000"));

    private static string Accuracy(PredictionMetrics metrics) => $"{100 * metrics.Accuracy:0.00} %";

    private static string Nll(PredictionMetrics metrics) => metrics.Nll.ToString("0.0000");
}

using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Reports.Pages;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What experiments found, in short.</summary>
internal static class FindingsTable
{
    public static Table Of(ExperimentResults results)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("claim").AddColumn("verdict").AddColumn("test error, points", column => column.RightAligned().NoWrap());
        foreach (var finding in results.Findings)
        {
            var change = (100 * finding.Error.Mean).ToString("+0.00;-0.00;0.00");
            var error = finding.Error.StandardError is { } standard ? $" ± {100 * standard:0.00}" : "";
            table.AddRow(Markup.Escape(finding.Claim), ExperimentPage.Words(finding.Verdict), $"{change}{error}");
        }

        return table;
    }
}

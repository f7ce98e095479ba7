using System.CommandLine;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class EvaluateCommand : DriverCommand
{
    public EvaluateCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base(
            "evaluate", "Measures a run on its test split, beside its single members.",
            "ensemble evaluate digits-1", "ensemble evaluate digits-1 --from snapshots --select greedy",
            "ensemble evaluate digits-1 --members 3 --coverage 0.9 --json")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        var coverage = new Option<double?>("--coverage")
        {
            Description = "Measure conformal sets or intervals that the validation split promises to hold this share of rows", HelpName = "0.9",
            CustomParser = result => OptionValues.Share(result, "--coverage", "a coverage"),
        };
        Add(run.Argument);
        Add(coverage);
        constituents.AddTo(this);
        SetAction(parsed =>
        {
            var options = shared.Read(parsed);
            var catalog = backend.OpenCatalog(options);
            var status = run.Find(parsed, catalog);
            var report = catalog.Evaluate(status.Run, constituents.Read(parsed), parsed.GetValue(coverage), CancellationToken.None);
            if (shared.Json(parsed)) consoles.Out.WriteJson(RunReport.Of(status, report, options));
            else
            {
                List<Table> tables = [ResultTable.Of(report), MeasuresTable.Of(report), LeaderboardTable.Of(report)];
                if (report.Classes is { } classes) tables.Add(ClassesTable.Of(classes));
                consoles.Out.Write(new Rows(tables));
            }
        });
    }
}

using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class EvaluateCommand : DriverCommand
{
    public EvaluateCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "evaluate", "Measures a run on its test split, beside its single members.",
            "ensemble evaluate digits-1", "ensemble evaluate digits-1 --from snapshots --select greedy",
            "ensemble evaluate digits-1 --members 3 --coverage 0.9 --json",
            "ensemble evaluate digits-1 --early-exit 0.05")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        var coverage = new Option<double?>("--coverage")
        {
            Description = "Measure conformal sets or intervals that the validation rows, or those out of fold, promise to hold this share of rows.", HelpName = "0.9",
            CustomParser = result => OptionValues.Share(result, "--coverage", "a coverage"),
        };
        Add(run.Argument);
        Add(coverage);
        constituents.AddTo(this, withEarlyExit: true);
        SetAction(async (parsed, _) =>
        {
            using var interruption = listen();
            var options = shared.Read(parsed);
            var choice = constituents.Read(parsed);
            if (await Stoppable.RunAsync(Evaluate, interruption) is not var (status, report))
            {
                consoles.Error.WriteRaw("Stopped before all was measured: nothing has changed.");
                return interruption.ExitCode;
            }

            if (shared.Json(parsed)) consoles.Out.WriteJson(RunReport.Of(status, report, options));
            else
            {
                List<Table> tables = [ResultTable.Of(report, choice.EarlyExit), MeasuresTable.Of(report), LeaderboardTable.Of(report)];
                if (report.Classes is { } classes) tables.Add(ClassesTable.Of(classes));
                consoles.Out.Write(new Rows(tables));
            }

            return ExitCode.Ok;

            Tuple<RunStatus, EvaluationReport> Evaluate(CancellationToken cancellation)
            {
                var catalog = backend.OpenCatalog(options);
                var found = run.Find(parsed, catalog, cancellation);
                return Tuple.Create(found, catalog.Evaluate(found.Run, choice, parsed.GetValue(coverage), cancellation));
            }
        });
    }
}

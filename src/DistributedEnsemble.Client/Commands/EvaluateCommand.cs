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
            "ensemble evaluate digits-1 --members 3 --json")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        constituents.AddTo(this);
        SetAction(parsed =>
        {
            var options = shared.Read(parsed);
            var catalog = backend.OpenCatalog(options);
            var status = run.Find(parsed, catalog);
            var report = catalog.Evaluate(status.Run, constituents.Read(parsed), CancellationToken.None);
            if (shared.Json(parsed)) consoles.Out.WriteJson(RunReport.Of(status, report, options));
            else consoles.Out.Write(new Rows(ResultTable.Of(report), MeasuresTable.Of(report)));
        });
    }
}

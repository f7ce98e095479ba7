using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ReportCommand : DriverCommand
{
    public ReportCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "report", "Writes a page about a run, with plots, into the run's folder.",
            "ensemble report digits-1", "ensemble report digits-1 --from snapshots --select greedy")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        constituents.AddTo(this);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before the page was written.", cancellation =>
        {
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var page = catalog.Report(run.Find(parsed, catalog, cancellation).Run, constituents.Read(parsed), cancellation);
            if (shared.Json(parsed)) consoles.Out.WriteJson(new { Page = page });
            else consoles.Out.WriteRaw($"The page is {page}");
            return ExitCode.Ok;
        }));
    }
}

using DistributedEnsemble.Client.Rendering;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ReportCommand : DriverCommand
{
    public ReportCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base(
            "report", "Writes a page about a run, with plots, into the run's folder.",
            "ensemble report digits-1", "ensemble report digits-1 --from snapshots --select greedy")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        constituents.AddTo(this);
        SetAction(parsed =>
        {
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var page = catalog.Report(run.Find(parsed, catalog).Run, constituents.Read(parsed));
            if (shared.Json(parsed)) consoles.Out.WriteJson(new { Page = page });
            else consoles.Out.WriteRaw($"The page is {page}");
        });
    }
}

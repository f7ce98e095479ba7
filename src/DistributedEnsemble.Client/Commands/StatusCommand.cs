using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Commands;

internal sealed class StatusCommand : DriverCommand
{
    public StatusCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base("status", "Shows where a run and its members are.", "ensemble status digits-1", "ensemble status digits-1 --json")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        SetAction(parsed =>
        {
            var status = run.Find(parsed, backend.OpenCatalog(shared.Read(parsed)));
            if (shared.Json(parsed)) consoles.Out.WriteRaw(RunStatusJson.ToJson(status));
            else consoles.Out.Write(StatusViews.Run(status, consoles.Out.Profile));
        });
    }
}

using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class StatusCommand : DriverCommand
{
    public StatusCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base("status", "Shows where a run and its members are.", "ensemble status digits-1", "ensemble status digits-1 --json")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        SetAction((parsed, _) =>
        {
            var options = shared.Read(parsed);
            return Stoppable.RunAsync(listen, consoles, "Stopped before the run was read.", cancellation =>
            {
                var status = run.Find(parsed, backend.OpenCatalog(options), cancellation);
                if (shared.Json(parsed)) consoles.Out.WriteRaw(RunStatusJson.ToJson(status));
                else consoles.Out.Write(StatusViews.Run(status, consoles.Out.Profile));
                return ExitCode.Ok;
            });
        });
    }
}

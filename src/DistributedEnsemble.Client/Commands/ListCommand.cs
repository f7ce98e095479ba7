using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ListCommand : DriverCommand
{
    public ListCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base("list", "Lists the runs of a folder.", "ensemble list", "ensemble list --runs /srv/runs --json") =>
        SetAction((parsed, _) =>
        {
            var options = shared.Read(parsed);
            return Stoppable.RunAsync(listen, consoles, "Stopped before all runs were read.", cancellation =>
            {
                var (runs, damages) = Read(backend.OpenCatalog(options), cancellation);
                if (shared.Json(parsed)) consoles.Out.WriteJson(new RunList(runs));
                else if (runs.Count > 0) consoles.Out.Write(StatusViews.List(runs));
                else if (damages.Count == 0) consoles.Out.WriteRaw($"No runs in {options.Place}. `{shared.Suggest(parsed, "train")}` makes one.");
                foreach (var damage in damages) consoles.Error.WriteRaw(damage);
                return damages.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
            });
        });

    /// <summary>One damaged run does not hide the others.</summary>
    private static (List<RunStatus> Runs, List<string> Damages) Read(IRunCatalog catalog, CancellationToken cancellation)
    {
        var (runs, damages) = (new List<RunStatus>(), new List<string>());
        foreach (var name in catalog.Names(cancellation))
        {
            try
            {
                if (catalog.Find(name, cancellation) is { } run) runs.Add(run);
            }
            catch (RunRejectedException)
            {
                // The name is of no run, or of none any more.
            }
            catch (Exception exception) when (DamageIn(exception) is { } damage)
            {
                damages.Add(OneLine.Of(damage.Message));
            }
        }
        return (runs, damages);
    }

    /// <summary>Of a cluster it comes with the grain that could not begin.</summary>
    private static InvalidDataException? DamageIn(Exception? exception) =>
        exception is null ? null : exception as InvalidDataException ?? DamageIn(exception.InnerException);

    private sealed record RunList(IReadOnlyList<RunStatus> Runs);
}

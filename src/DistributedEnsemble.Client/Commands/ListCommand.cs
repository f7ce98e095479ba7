using System.CommandLine;
using DistributedEnsemble.Client.Rendering;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ListCommand : DriverCommand
{
    public ListCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base("list", "Lists the runs of a folder.", "ensemble list", "ensemble list --runs /srv/runs --json") =>
        SetAction(parsed =>
        {
            var options = shared.Read(parsed);
            var runs = backend.OpenCatalog(options).List();
            if (shared.Json(parsed)) consoles.Out.WriteJson(new RunList(runs));
            else if (runs.Count == 0) consoles.Out.WriteRaw($"No runs in {options.RunsFolder}. `{shared.Suggest(parsed, "train")}` makes one.");
            else consoles.Out.Write(StatusViews.List(runs));
        });

    private sealed record RunList(IReadOnlyList<RunStatus> Runs);
}

using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Silo;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class DeleteCommand : DriverCommand
{
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask." };

    public DeleteCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base("delete", "Removes a run with all its files.", "ensemble delete digits-1", "ensemble delete digits-1 --yes")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        Add(_yes);
        SetAction(parsed =>
        {
            var (catalog, name) = (backend.OpenCatalog(shared.Read(parsed)), run.Name(parsed));
            if (!catalog.Exists(name)) throw run.Unknown(parsed);
            if (!parsed.GetValue(_yes) && !IsSure(consoles, name)) return ExitCode.Failed;
            catalog.Delete(name);
            if (shared.Json(parsed)) consoles.Out.WriteJson(new Deletion(name));
            else consoles.Out.WriteRaw($"Run \"{name}\" is gone.");
            return ExitCode.Ok;
        });
    }

    private static bool IsSure(Consoles consoles, string name) => consoles.CanAsk
        ? consoles.Error.Confirm($"Delete run \"{name}\" with all its models?", defaultValue: false)
        : throw new UsageException($"Run \"{name}\" is not deleted without a word: nobody can be asked here. Say --yes.");

    private sealed record Deletion(string Deleted);
}

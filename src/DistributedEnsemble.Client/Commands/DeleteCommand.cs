using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class DeleteCommand : DriverCommand
{
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask." };

    public DeleteCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base("delete", "Removes a run with all its files.", "ensemble delete digits-1", "ensemble delete digits-1 --yes")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        Add(_yes);
        SetAction((parsed, _) =>
        {
            var (options, name) = (shared.Read(parsed), run.Name(parsed));
            return Stoppable.RunAsync(listen, consoles, $"Stopped before run \"{name}\" was gone for certain: `{shared.Suggest(parsed, "list")}` shows whether it is.", cancellation =>
            {
                var catalog = backend.OpenCatalog(options);
                if (!catalog.Exists(name, cancellation)) throw run.Unknown(parsed);
                if (!parsed.GetValue(_yes) && !IsSure(consoles, name)) return ExitCode.Failed;
                catalog.Delete(name, cancellation);
                if (shared.Json(parsed)) consoles.Out.WriteJson(new Deletion(name));
                else consoles.Out.WriteRaw($"Run \"{name}\" is gone.");
                return ExitCode.Ok;
            });
        });
    }

    private static bool IsSure(Consoles consoles, string name) => consoles.CanAsk
        ? consoles.Error.Confirm($"Delete run \"{name}\" with all its models?", defaultValue: false)
        : throw new UsageException($"Run \"{name}\" is not deleted without a word: nobody can be asked here. Say --yes.");

    private sealed record Deletion(string Deleted);
}

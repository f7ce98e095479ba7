using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class SpecCommand : DriverCommand
{
    private readonly Option<bool> _markdown = new("--markdown") { Description = "As a page of Markdown, with what each dataset brings." };

    public SpecCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "spec", "Explains every key of a spec, or prints the whole spec of a run.",
            "ensemble spec", "ensemble spec digits-1 > again.json")
    {
        var run = new NamedRun(shared) { Argument = { Arity = ArgumentArity.ZeroOrOne } };
        Add(run.Argument);
        Add(_markdown);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before the spec was read.", cancellation =>
        {
            var markdown = parsed.GetValue(_markdown);
            if (parsed.GetValue(run.Argument) is not null)
            {
                if (markdown) throw new UsageException("--markdown explains the keys of every spec: give it, or a run.");
                var catalog = backend.OpenCatalog(shared.Read(parsed));
                consoles.Out.WriteRaw(catalog.ReadSpec(run.Find(parsed, catalog, cancellation).Run, cancellation).ToJson());
            }
            else if (shared.Json(parsed)) consoles.Out.WriteJson(new SpecKeys(SpecReference.Entries()));
            else if (markdown) consoles.Out.Profile.Out.Writer.Write(SpecReference.Markdown());
            else SpecReference.Write(consoles.Out);
            return ExitCode.Ok;
        }));
    }

    private sealed record SpecKeys(IEnumerable<SpecKeyEntry> Keys);
}

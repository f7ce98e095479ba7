using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Runs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>The argument R: a run that must exist.</summary>
internal sealed class NamedRun
{
    private readonly SharedOptions _shared;

    public NamedRun(SharedOptions shared)
    {
        _shared = shared;
        Argument.RefuseOptions();
    }

    public Argument<string> Argument { get; } = new("run") { Description = "The run's name, as `ensemble list` shows it.", HelpName = "R" };

    public RunStatus Find(ParseResult parsed, IRunCatalog catalog) => Find(parsed, catalog, _shared, parsed.GetRequiredValue(Argument));

    public static RunStatus Find(ParseResult parsed, IRunCatalog catalog, SharedOptions shared, string name)
    {
        // Names become folder names: what cannot be one is never looked for.
        if (!RunName.IsValid(name)) throw new UsageException($"\"{name}\" is not a run: {RunName.Rule}.");
        return catalog.Find(name) ?? throw new UsageException(
            $"Run \"{name}\" does not exist in {shared.Read(parsed).RunsFolder}. `{shared.Suggest(parsed, "list")}` shows those that do.");
    }
}

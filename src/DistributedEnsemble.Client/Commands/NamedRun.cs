using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>The argument R: a run that must exist.</summary>
internal sealed class NamedRun
{
    /// <summary>In the help, of every argument that is a run.</summary>
    public const string HelpName = "R";

    private readonly SharedOptions _shared;

    public NamedRun(SharedOptions shared)
    {
        _shared = shared;
        Argument.RefuseOptions();
    }

    public Argument<string> Argument { get; } = new("run") { Description = "The run's name, as `ensemble list` shows it.", HelpName = HelpName };

    public string Name(ParseResult parsed) => Checked(parsed.GetRequiredValue(Argument));

    public RunStatus Find(ParseResult parsed, IRunCatalog catalog, CancellationToken cancellation) =>
        Find(parsed, catalog, _shared, parsed.GetRequiredValue(Argument), cancellation);

    public UsageException Unknown(ParseResult parsed) => Unknown(parsed, _shared, Name(parsed));

    public static RunStatus Find(ParseResult parsed, IRunCatalog catalog, SharedOptions shared, string name, CancellationToken cancellation) =>
        catalog.Find(Checked(name), cancellation) ?? throw Unknown(parsed, shared, name);

    /// <summary>Names become folder names: what cannot be one is never looked for.</summary>
    private static string Checked(string name) =>
        RunName.IsValid(name) ? name : throw new UsageException($"\"{name}\" is not a run: {RunName.Rule}.");

    private static UsageException Unknown(ParseResult parsed, SharedOptions shared, string name) => new(
        $"Run \"{name}\" does not exist in {shared.Read(parsed).Place}. `{shared.Suggest(parsed, "list")}` shows those that do.");
}

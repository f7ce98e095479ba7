using System.CommandLine;
using DistributedEnsemble.Client.Completion;
using DistributedEnsemble.Client.Rendering;

namespace DistributedEnsemble.Client.Commands;

internal sealed class CompletionCommand : DriverCommand
{
    private readonly Argument<Shell> _shell = new("shell")
    {
        Description = "The shell that completes.", HelpName = "bash|zsh|fish|pwsh",
        CustomParser = result => OptionValues.OneOf<Shell>(result, "The shell") ?? Shell.Bash,
    };

    public CompletionCommand(Consoles consoles)
        : base(
            "completion", "Prints what lets a shell complete commands, options, runs and datasets.",
            "ensemble completion bash >> ~/.bashrc", "ensemble completion zsh >> ~/.zshrc        # behind compinit",
            "ensemble completion fish > ~/.config/fish/completions/ensemble.fish", "ensemble completion pwsh >> $PROFILE")
    {
        Add(_shell);
        SetAction(parsed => consoles.Out.Profile.Out.Writer.Write(parsed.GetValue(_shell) switch
        {
            Shell.Bash => Scripts.Bash,
            Shell.Zsh => Scripts.Zsh,
            Shell.Fish => Scripts.Fish,
            Shell.Pwsh => Scripts.PowerShell,
        }));
    }

    private enum Shell { Bash, Zsh, Fish, Pwsh }
}

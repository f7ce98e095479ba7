using System.CommandLine;
using DistributedEnsemble.Client.Completion;
using DistributedEnsemble.Client.Rendering;

namespace DistributedEnsemble.Client.Commands;

/// <summary>What the scripts of `ensemble completion` ask; a line for each word, with its meaning behind a tab.</summary>
internal sealed class CompleteCommand : DriverCommand
{
    public CompleteCommand(Suggestions suggestions, Consoles consoles) : base("complete", "Lists the words that may come next.", "ensemble complete -- train --data")
    {
        var words = new Argument<string[]>("words") { Description = "The line behind the program's name, up to the cursor.", Arity = ArgumentArity.ZeroOrMore };
        Hidden = true;
        Add(words);
        SetAction(parsed =>
        {
            foreach (var (word, meaning) in suggestions.Of(parsed.GetRequiredValue(words)))
                consoles.Out.WriteRaw(meaning.Length > 0 ? $"{word}\t{meaning}" : word);
        });
    }
}

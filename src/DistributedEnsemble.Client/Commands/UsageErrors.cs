using System.CommandLine;
using System.CommandLine.Parsing;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>Turns what the parser found wrong into one line with a way out.</summary>
internal static class UsageErrors
{
    public static UsageException Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var help = $"Try `ensemble {(command is RootCommand ? "" : $"{command.Name} ")}--help`.";
        // An argument takes an option that nobody knows for its value, and only then something else is wrong.
        var words = parsed.UnmatchedTokens.Concat(parsed.Tokens.Where(token => token.Type == TokenType.Argument).Select(token => token.Value));
        if (words.FirstOrDefault(IsUnknownOption) is { } option) return new UsageException($"{UnknownOption(option, parsed.CommandResult)} {help}");
        if (command is RootCommand && parsed.UnmatchedTokens is [var unknown, ..])
            return new UsageException($"There is no command \"{unknown}\". Did you mean `ensemble {Nearest.Of(unknown, command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name))}`? {help}");

        // The parser also says that an argument is missing, or a word too many: what stands in its place is the better news.
        var messages = parsed.Errors.Select(error => error.Message).ToArray();
        var message = messages.FirstOrDefault(text => parsed.UnmatchedTokens.Any(token => text.Contains($"'{token}'", StringComparison.Ordinal))) ?? messages[0];
        return new UsageException($"{message.TrimEnd()} {help}");
    }

    /// <summary>Lets an argument refuse words that look like options.</summary>
    public static void RefuseOptions(this Argument argument) => argument.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var word }] && IsUnknownOption(word) && result.Parent is CommandResult command)
            result.AddError(UnknownOption(word, command));
    });

    private static bool IsUnknownOption(string word) => word is ['-', not (>= '0' and <= '9'), ..];

    private static string UnknownOption(string word, CommandResult command)
    {
        // As other tools have it.
        if (word is "--follow" or "--watch" or "-f" or "-w") return $"There is no option {word}: `ensemble watch` shows a run until it ends.";
        var shared = command.Command.Parents.OfType<Command>().SelectMany(parent => parent.Options.Where(option => option.Recursive));
        return $"There is no option {word}. Did you mean {Nearest.Of(word, command.Command.Options.Concat(shared).Select(option => option.Name))}?";
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>Turns what the parser found wrong into one line with a way out.</summary>
internal static class UsageErrors
{
    /// <summary>Characters of a word that is told: it may be a path.</summary>
    private const int LongestWord = 200;

    public static UsageException Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var help = $"Try `ensemble {(command is RootCommand ? "" : $"{command.Name} ")}--help`.";
        // An argument takes an option that nobody knows for its value, and only then something else is wrong.
        var words = parsed.UnmatchedTokens.Concat(parsed.Tokens.Where(token => token.Type == TokenType.Argument).Select(token => token.Value));
        if (words.FirstOrDefault(IsUnknownOption) is { } option) return new UsageException($"{UnknownOption(option, parsed.CommandResult)} {help}");
        if (parsed.UnmatchedTokens is [var word, ..])
            return new UsageException($"{(command is RootCommand ? UnknownCommand(word, command) : OneTooMany(word, command))} {help}");
        return new UsageException($"{parsed.Errors.Select(Missing).FirstOrDefault(missing => missing is not null) ?? parsed.Errors[0].Message.TrimEnd()} {help}");
    }

    /// <summary>Lets an argument refuse words that look like options.</summary>
    public static void RefuseOptions(this Argument argument) => argument.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var word }] && IsUnknownOption(word) && result.Parent is CommandResult command)
            result.AddError(UnknownOption(word, command));
    });

    /// <summary>An option that stands behind another one, which takes a value, is not that value.</summary>
    /// <exception cref="UsageException">The value is missing.</exception>
    public static void RefuseOptionsAsValues(ParseResult parsed)
    {
        var names = OptionsOf(parsed.CommandResult.Command).Select(option => option.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var option in OptionsOf(parsed.CommandResult.Command))
        {
            if (parsed.GetResult(option) is { } given && given.Tokens.Any(token => names.Contains(token.Value)))
                throw new UsageException($"{Lacks(option)} Try `ensemble {parsed.CommandResult.Command.Name} --help`.");
        }
    }

    /// <summary>A command's own, and those that all commands have.</summary>
    private static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(parent => parent.Options.Where(option => option.Recursive)));

    private static bool IsUnknownOption(string word) => word is ['-', not (>= '0' and <= '9'), ..];

    private static string UnknownOption(string word, CommandResult command)
    {
        // As other tools have it.
        if (word is "--follow" or "--watch" or "-f" or "-w") return $"There is no option {word}: `ensemble watch` shows a run until it ends.";
        var meant = Nearest.Like(word, OptionsOf(command.Command).Select(option => option.Name));
        return meant is null ? $"`ensemble {command.Command.Name}` has no option {word}." : $"There is no option {word}. Did you mean {meant}?";
    }

    private static string UnknownCommand(string word, Command root)
    {
        var meant = Nearest.Like(word, root.Subcommands.Where(command => !command.Hidden).Select(command => command.Name));
        return $"There is no command {OneLine.Quoted(word)}.{(meant is null ? "" : $" Did you mean `ensemble {meant}`?")}";
    }

    /// <summary>Whoever gives a command one word more than it takes often means the table that an option of it takes.</summary>
    private static string OneTooMany(string word, Command command)
    {
        var table = File.Exists(word) ? command.Options.FirstOrDefault(option => option.HelpName is "rows.csv") : null;
        return $"`ensemble {command.Name}` takes no {OneLine.Quoted(word, LongestWord)}{(table is null ? "." : $": a table is given by {table.Name} {OneLine.Of(word)}.")}";
    }

    /// <returns>What is missing, in words; null if something else is wrong.</returns>
    private static string? Missing(ParseError error) => error.SymbolResult switch
    {
        ArgumentResult { Tokens.Count: 0, Argument: { HelpName: { } name, Description: { } what } } => $"{name} is missing: {char.ToLowerInvariant(what[0])}{what[1..]}",
        OptionResult { Tokens.Count: 0, Option: var option } => Lacks(option),
        ArgumentResult { Tokens.Count: 0, Parent: OptionResult { Option: var option } } => Lacks(option),
        _ => null,
    };

    private static string Lacks(Option option) => $"{option.Name} lacks its value{(option.HelpName is { } name ? $": it takes {name}" : "")}.";
}

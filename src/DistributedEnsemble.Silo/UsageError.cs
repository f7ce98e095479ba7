using System.CommandLine;
using System.CommandLine.Parsing;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Silo;

/// <summary>What is wrong with a command line, as one line with a way out.</summary>
internal static class UsageError
{
    /// <param name="parsed">It has errors.</param>
    public static string Of(ParseResult parsed) => $"{What(parsed)} `ensemble-silo --help` shows what a silo takes.";

    private static string What(ParseResult parsed)
    {
        foreach (var error in parsed.Errors)
        {
            if (OptionOf(error.SymbolResult) is { } given)
                return given.Tokens.Count == 0 ? $"{given.Option.Name} lacks its value: it takes {given.Option.HelpName}." : OneLine.Of(error.Message);
        }

        if (parsed.UnmatchedTokens is not [var word, ..]) return OneLine.Of(parsed.Errors[0].Message);
        if (!word.StartsWith('-')) return $"{OneLine.Quoted(word)} is no option.";
        var meant = Nearest.Like(word, parsed.CommandResult.Command.Options.Select(known => known.Name));
        return $"There is no option {OneLine.Excerpt(word)}.{(meant is null ? "" : $" Did you mean {meant}?")}";
    }

    private static OptionResult? OptionOf(SymbolResult? wrong) => wrong as OptionResult ?? (wrong as ArgumentResult)?.Parent as OptionResult;
}

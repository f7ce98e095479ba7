using System.CommandLine;
using DistributedEnsemble.Client.Failures;

namespace DistributedEnsemble.Client.Commands;

/// <summary>Turns what the parser found wrong into one line with a way out.</summary>
internal static class UsageErrors
{
    public static UsageException Of(ParseResult parsed)
    {
        // The parser also says that a command is missing, or a word too many: what stands in its place is the better news.
        var messages = parsed.Errors.Select(error => error.Message).ToArray();
        var message = messages.FirstOrDefault(text => text.Contains("'-", StringComparison.Ordinal))
            ?? messages.FirstOrDefault(text => parsed.UnmatchedTokens.Any(token => text.Contains($"'{token}'", StringComparison.Ordinal)))
            ?? messages[0];
        var command = parsed.CommandResult.Command is RootCommand ? "ensemble" : $"ensemble {parsed.CommandResult.Command.Name}";
        return new UsageException($"{message.TrimEnd()} Try `{command} --help`.");
    }
}

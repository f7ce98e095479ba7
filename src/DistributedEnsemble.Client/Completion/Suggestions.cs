using System.CommandLine;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Completion;

/// <summary>
/// What may stand next on a command line: commands, options and their values, found in the same tree that parses it. What an option
/// or an argument takes, its name in the help says: a|b lists its values, and R, D and path=value are runs, datasets and keys of the
/// spec. Of anything else, such as files, the shell knows more.
/// </summary>
internal sealed class Suggestions(RootCommand root, Backend backend, SharedOptions shared)
{
    /// <param name="words">Behind the program's name; the last one is being written, and may be empty.</param>
    public IReadOnlyList<Suggestion> Of(IReadOnlyList<string> words)
    {
        var (before, word) = (words.SkipLast(1).ToArray(), words.LastOrDefault(""));
        var parsed = root.Parse(before, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        Option[] options = [.. command.Options.Concat(command == root ? [] : root.Options.Where(option => option.Recursive)).Where(option => !option.Hidden)];

        IEnumerable<Suggestion> all;
        if (before is [.., var last] && options.FirstOrDefault(option => Takes(option, last)) is { } waiting) all = Values(waiting.HelpName, parsed, word);
        else if (word.IndexOf('=') is > 0 and var equals && options.FirstOrDefault(option => Takes(option, word[..equals])) is { } assigned)
            all = Values(assigned.HelpName, parsed, word[(equals + 1)..]).Select(value => value with { Word = $"{word[..(equals + 1)]}{value.Word}" });
        else if (word.StartsWith('-')) all = Names(options, before);
        else if (command.Subcommands.Count > 0) all = command.Subcommands.Where(below => !below.Hidden).Select(below => new Suggestion(below.Name, below.Description ?? ""));
        else all = command.Arguments.Count > 0 ? Arguments(command, parsed, word) : Names(options, before);
        return [.. all.Where(suggestion => suggestion.Word.StartsWith(word, StringComparison.Ordinal)).DistinctBy(suggestion => suggestion.Word)];
    }

    private static bool Takes(Option option, string name) => option is not Option<bool> && option.Arity.MaximumNumberOfValues > 0 && (option.Name == name || option.Aliases.Contains(name));

    /// <summary>Those that are not given yet, or may be more than once.</summary>
    private static IEnumerable<Suggestion> Names(IEnumerable<Option> options, string[] before) => options
        .Where(option => option.Arity.MaximumNumberOfValues > 1 || !before.Contains(option.Name))
        .Select(option => new Suggestion(option.Name, option.Description ?? ""));

    /// <summary>Of runs each is named once.</summary>
    private IEnumerable<Suggestion> Arguments(Command command, ParseResult parsed, string word)
    {
        var argument = command.Arguments[0];
        var given = parsed.GetResult(argument)?.Tokens.Select(token => token.Value).ToHashSet() ?? [];
        if (given.Count >= argument.Arity.MaximumNumberOfValues) return [];
        var values = argument.HelpName == NamedRun.HelpName ? Runs(parsed) : Values(argument.HelpName, parsed, word);
        return values.Where(value => !given.Contains(value.Word));
    }

    private IEnumerable<Suggestion> Values(string? helpName, ParseResult parsed, string word) => helpName switch
    {
        SpecArguments.DatasetName => backend.ListDatasets(shared.DataFolder(parsed)).Select(dataset => new Suggestion(dataset.Name, dataset.Description)),
        SpecArguments.SettingName => Settings(word),
        // What stands for any value is in capitals.
        not null when helpName.Contains('|') => helpName.Split('|').Where(value => !value.Any(char.IsUpper)).Select(value => new Suggestion(value)),
        _ => [],
    };

    /// <summary>Keys; behind the equals sign what a key may be, if these are a few.</summary>
    private static IEnumerable<Suggestion> Settings(string word)
    {
        if (!word.Contains('=')) return SpecSchema.Keys.Select(key => new Suggestion($"{key.Path}=", key.Description));
        return from key in SpecSchema.Keys
               where word.StartsWith($"{key.Path}=", StringComparison.Ordinal)
               from value in key.TypeName.Contains('|') ? key.TypeName.Split(" | ") : []
               select new Suggestion($"{key.Path}={value}");
    }

    /// <summary>A cluster is not asked: that may take long.</summary>
    private IEnumerable<Suggestion> Runs(ParseResult parsed) =>
        shared.LocalRuns(parsed) is { } options ? backend.OpenCatalog(options).Names(CancellationToken.None).Select(name => new Suggestion(name)) : [];
}

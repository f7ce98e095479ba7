using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Client.Commands;

/// <summary>SPEC.json and the options that override it, in the order in which they stand on the command line.</summary>
internal sealed class SpecArguments
{
    /// <summary>In the help, of options that take a dataset, and a key with its value.</summary>
    public const string DatasetName = "D", SettingName = "path=value";

    private const int LongestSpec = 1 << 20;

    private readonly Argument<string?> _file = new("spec")
    {
        Description = "The run's spec [default: ten members on the built-in digits]", HelpName = "SPEC.json", Arity = ArgumentArity.ZeroOrOne,
    };

    // What a value may be is the spec's business: it knows every key's type and range.
    private readonly Dictionary<Option, string> _paths = new()
    {
        [Flag("--dataset", DatasetName, "What to train on: a name that `ensemble datasets` shows, a table's file, or a folder of images.")] = "data.dataset",
        [Flag("--target", "C", "The column to predict [default: target, label or class, or the last of use]")] = "data.target",
        [Flag("--task", "classification|regression", "What is predicted [default: as the target looks]")] = "data.task",
        [Flag("--ignore", "A,B", "Columns to leave out.")] = "data.ignore",
        [Flag("--categorical", "A,B", "Columns of numbers that are names of categories.")] = "data.categorical",
        [Flag("--header", "yes|no", "Whether the first line names the columns [default: found by looking]")] = "data.header",
        [Flag("--test", "FILE", "A table of its own that tests [default: every fifth row]")] = "data.test",
        [Flag("--folds", "K", "Member i trains without fold i mod K, which measures it.")] = "data.folds",
        [Switch("--bootstrap", "Each member trains on rows drawn with replacement.")] = "data.bootstrap",
        [Flag("--image-size", "N", "Pixels on a side of a folder's images.")] = "data.imageSize",
        [Flag("--members", "K", "The number of independently initialised models.")] = "members",
        [Flag("--epochs", "N", "Passes over the training rows.")] = "training.epochs",
        [Flag("--name", "R", "The run's name [default: DATASET-N]")] = "name",
        [Flag("--seed", "S", "The key of all randomness.")] = "seed",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Any key of the spec, as often as needed.", HelpName = SettingName, Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Those that say how a table is read.</summary>
    public IEnumerable<Option> DataOptions => _paths.Where(path => path.Value.StartsWith("data.", StringComparison.Ordinal) && path.Value is not ("data.dataset" or "data.imageSize" or "data.folds" or "data.bootstrap")).Select(path => path.Key);

    public void AddTo(Command command)
    {
        _file.RefuseOptions();
        command.Add(_file);
        foreach (var option in _paths.Keys.Append(_set)) command.Add(option);
    }

    /// <returns>Null if no file is named.</returns>
    public SpecFile? ReadFile(ParseResult parsed)
    {
        var path = parsed.GetValue(_file);
        if (path is null) return null;
        if (Directory.Exists(path)) throw new UsageException($"Spec {path} is a folder: it must be a JSON file. (A folder of images is trained on by --dataset {path}.)");
        if (!File.Exists(path)) throw new UsageException($"Spec {path} does not exist.");
        if (TableSource.Extensions.Any(extension => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
            throw new UsageException($"Spec {path} is a table: it must be a JSON file. (A table is trained on by --dataset {path}.)");
        // Not ReadAllText: the file may be a pipe, or a device that never ends.
        using var reader = new StreamReader(path);
        var text = new char[LongestSpec + 1];
        var length = reader.ReadBlock(text);
        return length <= LongestSpec
            ? new SpecFile(path, new string(text, 0, length))
            : throw new UsageException($"Spec {path} is longer than {LongestSpec:N0} characters: it must be a JSON file with the keys that `ensemble spec` explains.");
    }

    public IReadOnlyList<(string Path, string Value)> Overrides(ParseResult parsed)
    {
        // Tokens are equal by value: only the object says which of two equal ones it is.
        int Position(Token token) => parsed.Tokens.TakeWhile(other => !ReferenceEquals(other, token)).Count();
        return [.. _paths.Keys.Append(_set)
            .SelectMany(option => Given(option, parsed.GetResult(option)))
            .OrderBy(given => Position(given.Token))
            .Select(given => _paths.TryGetValue(given.Option, out var path) ? (path, ValueOf(given.Option, given.Value)) : Split(given.Token))];
    }

    /// <summary>A switch alone says true.</summary>
    private static IEnumerable<(Option Option, Token Token, string Value)> Given(Option option, OptionResult? result) => result switch
    {
        null => [],
        { Tokens.Count: 0, IdentifierToken: { } name } when option is Option<bool> => [(option, name, "true")],
        _ => result.Tokens.Select(token => (option, token, token.Value)),
    };

    private static Option<bool> Switch(string name, string description) => new(name) { Description = description };

    private static Option<string> Flag(string name, string helpName, string description) =>
        new(name) { HelpName = helpName, Description = description };

    /// <summary>As the spec has it: a list of columns, a yes or a no.</summary>
    private static string ValueOf(Option option, string value) => option.Name switch
    {
        "--ignore" or "--categorical" => JsonSerializer.Serialize(value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
        "--header" => value switch
        {
            "yes" => "true",
            "no" => "false",
            _ => throw new UsageException($"--header is {value}: it is yes or no."),
        },
        _ => value,
    };

    private static (string Path, string Value) Split(Token token)
    {
        var equals = token.Value.IndexOf('=');
        return equals > 0
            ? (token.Value[..equals], token.Value[(equals + 1)..])
            : throw new UsageException($"--set {token.Value} names no value: it takes path=value, such as training.epochs=20.");
    }
}

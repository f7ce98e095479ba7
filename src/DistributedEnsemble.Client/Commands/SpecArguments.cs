using System.CommandLine;
using System.CommandLine.Parsing;
using DistributedEnsemble.Client.Failures;

namespace DistributedEnsemble.Client.Commands;

/// <summary>SPEC.json and the options that override it, in the order in which they stand on the command line.</summary>
internal sealed class SpecArguments
{
    private const int LongestSpec = 1 << 20;

    private readonly Argument<string?> _file = new("spec")
    {
        Description = "The run's spec [default: ten members on the built-in digits]", HelpName = "SPEC.json", Arity = ArgumentArity.ZeroOrOne,
    };

    // What a value may be is the spec's business: it knows every key's type and range.
    private readonly Dictionary<Option, string> _paths = new()
    {
        [Flag("--dataset", "D", "What to train on: a name that `ensemble datasets` shows, or a CSV file.")] = "data.dataset",
        [Flag("--members", "K", "The number of independently initialised models.")] = "members",
        [Flag("--epochs", "N", "Passes over the training rows.")] = "training.epochs",
        [Flag("--name", "R", "The run's name [default: DATASET-N]")] = "name",
        [Flag("--seed", "S", "The key of all randomness.")] = "seed",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Any key of the spec, as often as needed.", HelpName = "path=value", Arity = ArgumentArity.OneOrMore,
    };

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
        if (Directory.Exists(path)) throw new UsageException($"Spec {path} is a folder: it must be a JSON file.");
        if (!File.Exists(path)) throw new UsageException($"Spec {path} does not exist.");
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
            .SelectMany(option => (parsed.GetResult(option)?.Tokens ?? []).Select(token => (Option: option, Token: token)))
            .OrderBy(given => Position(given.Token))
            .Select(given => _paths.TryGetValue(given.Option, out var path) ? (path, given.Token.Value) : Split(given.Token))];
    }

    private static Option<string> Flag(string name, string helpName, string description) =>
        new(name) { HelpName = helpName, Description = description };

    private static (string Path, string Value) Split(Token token)
    {
        var equals = token.Value.IndexOf('=');
        return equals > 0
            ? (token.Value[..equals], token.Value[(equals + 1)..])
            : throw new UsageException($"--set {token.Value} names no value: it takes path=value, such as training.epochs=20.");
    }
}

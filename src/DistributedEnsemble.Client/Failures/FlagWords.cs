using System.CommandLine;
using System.Text.RegularExpressions;

namespace DistributedEnsemble.Client.Failures;

/// <summary>Errors and notes name the keys of a spec, which is what they are over HTTP, too: whoever typed none is told of the flags.</summary>
internal static partial class FlagWords
{
    private static readonly Dictionary<string, string> s_flags = new()
    {
        ["data.header true"] = "--header yes", ["data.header false"] = "--header no",
        ["data.dataset"] = "--dataset", ["data.target"] = "--target", ["data.task"] = "--task", ["data.folds"] = "--folds", ["data.bootstrap"] = "--bootstrap", ["data.ignore"] = "--ignore",
        ["data.categorical"] = "--categorical", ["data.header"] = "--header", ["data.test"] = "--test", ["data.imageSize"] = "--image-size",
        ["training.epochs"] = "--epochs", ["members"] = "--members", ["name"] = "--name", ["seed"] = "--seed",
        ["distillation.unlabelled"] = "--unlabelled",
        ["prediction.from"] = "--from", ["prediction.select"] = "--select", ["prediction.monteCarloSamples"] = "--mc", ["coverage"] = "--coverage",
        ["make DIR the data folder"] = "add --data DIR", ["more lanes"] = "more --lanes", ["fewer lanes"] = "fewer --lanes",
    };

    /// <param name="parsed">The command line; null if it could not be parsed.</param>
    public static string Of(string line, ParseResult? parsed)
    {
        if (parsed is null) return line;
        return Key().Replace(line, found => s_flags.TryGetValue(found.Value, out var flag) && !IsTyped(found.Value.Split(' ')[0]) && HasFlag(flag.Split(' ').First(word => word.StartsWith('-'))) ? flag : found.Value);

        // In a spec file, or after --set: by itself, or within the value of another key.
        bool IsTyped(string key) => parsed.Tokens.Any(token => token.Value.StartsWith($"{key}=", StringComparison.Ordinal) || token.Value.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            || (token.Value.Contains('{', StringComparison.Ordinal) && (token.Value.Contains($"\"{key}\"", StringComparison.Ordinal) || token.Value.Contains($"\"{key.Split('.')[^1]}\"", StringComparison.Ordinal))));

        bool HasFlag(string flag) => parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options).Any(option => option.Name == flag);
    }

    /// <summary>A key of a section anywhere, but in quotes or as a part of something longer; one without a section where a sentence begins with it; and what a way out says at its end.</summary>
    [GeneratedRegex("""(?<![\w.\-"/]|did you mean )(?:data\.header (?:true|false)|(?:data|training|distillation|prediction)\.[A-Za-z]+)(?![\w="]|\.\w)|^(?:members|name|seed|coverage)(?= is )|make DIR the data folder(?=\.)|(?<=Take |start silos with )(?:fewer|more) lanes(?=[.,])""")]
    private static partial Regex Key();
}

using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>Reads a request's parameters. One that nobody knows is refused: a misspelt one would silently be another request.</summary>
internal static class InferParametersReader
{
    /// <summary>What other servers know, and what means nothing here.</summary>
    private static readonly string[] s_ignored = ["priority", "sequence_id", "sequence_start", "sequence_end"];

    private static readonly string[] s_known = ["from", "select", "members", "monte_carlo_samples", "calibrated", "coverage", "early_exit", "binary_data_output", "timeout"];

    /// <summary>Whether a parameter is a number between 0 and 1.</summary>
    public static bool IsShare(string name) => name is "coverage" or "early_exit";

    public static InferParameters Read(ref Utf8JsonReader json, HttpSettings limits)
    {
        var (parameters, choice) = (new InferParameters(), new ConstituentChoice());
        if (json.TokenType == JsonTokenType.Null) return parameters;
        JsonFields.Expect(ref json, JsonTokenType.StartObject, "parameters", "an object");
        while (JsonFields.Next(ref json, out var name))
        {
            // Optional fields that are null were not set.
            if (json.TokenType == JsonTokenType.Null && (s_known.Contains(name) || s_ignored.Contains(name) || JsonFields.IsForPeople(name))) continue;
            switch (name)
            {
                case "from": choice = choice with { From = From(ref json) }; break;
                case "select": choice = choice with { Select = Select(ref json) }; break;
                case "members": choice = choice with { Members = Whole(ref json, name, 1, int.MaxValue) }; break;
                case "monte_carlo_samples":
                    choice = choice with { MonteCarloSamples = Whole(ref json, name, 0, limits.MaxMonteCarloSamples) };
                    break;
                case "calibrated": parameters = parameters with { Calibrated = JsonFields.Flag(ref json, $"parameters.{name}") }; break;
                case "coverage": parameters = parameters with { Coverage = Share(ref json, name) }; break;
                case "early_exit": choice = choice with { EarlyExit = Probability(ref json, name) }; break;
                case "binary_data_output": parameters = parameters with { BinaryOutput = JsonFields.Flag(ref json, $"parameters.{name}") }; break;
                case "timeout": parameters = parameters with { Timeout = TimeSpan.FromMicroseconds(Whole(ref json, name, 1, int.MaxValue)) }; break;
                case var ignored when s_ignored.Contains(ignored) || JsonFields.IsForPeople(ignored): json.Skip(); break;
                default:
                    throw HttpError.BadRequest(
                        $"parameters.{OneLine.Excerpt(name)} is unknown: there are {string.Join(", ", s_known[..^1])} and {s_known[^1]}.");
            }
        }

        return parameters with { Choice = choice };
    }

    /// <summary>Bounded, for what is chosen is remembered.</summary>
    private static string? Select(ref Utf8JsonReader json)
    {
        const int Longest = 32;
        var select = JsonFields.Text(ref json, "parameters.select");
        return select is not { Length: > Longest } ? select : throw HttpError.BadRequest(
            $"parameters.select is {OneLine.Quoted(select)}: it must be all, last:N or greedy.");
    }

    private static PredictionSource? From(ref Utf8JsonReader json) => JsonFields.Text(ref json, "parameters.from") switch
    {
        null => null,
        "final" => PredictionSource.Final,
        "snapshots" => PredictionSource.Snapshots,
        "ema" => PredictionSource.Ema,
        var other => throw HttpError.BadRequest($"parameters.from is {OneLine.Quoted(other)}: it must be final, snapshots or ema."),
    };

    private static double Share(ref Utf8JsonReader json, string name) =>
        json.TokenType == JsonTokenType.Number && json.TryGetDouble(out var value) && value is > 0 and < 1
            ? value
            : throw HttpError.BadRequest($"parameters.{name} is {JsonFields.Excerpt(json)}: it must be a number above 0 and below 1.");

    private static double Probability(ref Utf8JsonReader json, string name) =>
        json.TokenType == JsonTokenType.Number && json.TryGetDouble(out var value) && value is >= 0 and < 1
            ? value
            : throw HttpError.BadRequest($"parameters.{name} is {JsonFields.Excerpt(json)}: it must be a number from 0, which asks all members, and below 1.");

    private static int Whole(ref Utf8JsonReader json, string name, int from, int to) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var value) && value >= from && value <= to
            ? value
            : throw HttpError.BadRequest($"parameters.{name} is {JsonFields.Excerpt(json)}: it must be a whole number from {from} to {to}.");
}

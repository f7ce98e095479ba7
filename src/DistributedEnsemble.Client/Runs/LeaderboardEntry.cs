using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Client.Runs;

/// <summary>A single model of an ensemble, measured alone on the test split.</summary>
/// <param name="Settings">What its member's spec says where the members' differ; left out where they do not.</param>
internal sealed record LeaderboardEntry(
    int Member, int Step, Measures Measures,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonObject? Settings = null)
{
    /// <summary>By their NLL, the best first; nothing of a run that was not evaluated.</summary>
    public static ImmutableArray<LeaderboardEntry> Of(EvaluationReport? report) => report is null ? [] :
    [
        .. report.Weights.Zip(report.Models, (file, measures) => (file, measures)).Select((model, i) => new LeaderboardEntry(
            model.file.Member, model.file.Step, model.measures, SettingsOf(report, i))).OrderBy(entry => entry.Measures.Nll),
    ];

    private static JsonObject? SettingsOf(EvaluationReport report, int model)
    {
        if (report.Settings.IsDefaultOrEmpty) return null;
        var settings = new JsonObject();
        foreach (var (key, value) in report.Settings[model]) settings[key] = value is null ? null : JsonNode.Parse(value);
        return settings;
    }
}

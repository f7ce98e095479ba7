using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Live;

/// <summary>What the page says of a run's spec, as its folder has it.</summary>
/// <param name="Settings">The keys in which members differ, of each variant in turn {key: value}; member i has those of variant i modulo their number. Null where members do not differ.</param>
/// <param name="Teacher">The run whose answers are learned; null where none are.</param>
internal sealed record SpecWords(JsonArray? Settings, string? Teacher)
{
    /// <returns>Null where the spec cannot be read.</returns>
    public static SpecWords? Of(RunStorage storage, string run)
    {
        var folder = new RunFolder(storage, run);
        try
        {
            var spec = EnsembleSpec.FromJson(folder.ReadAllText(RunFolder.SpecFile));
            var settings = MemberSettings.Of(spec, [.. Enumerable.Range(0, spec.Variants.Count)]);
            return new SpecWords(settings.IsEmpty ? null : new JsonArray([.. settings.Select(variant => (JsonNode)new JsonObject(
                variant.Select(setting => KeyValuePair.Create(setting.Key, setting.Value is null ? null : JsonNode.Parse(setting.Value)))))]), spec.Distillation?.Teacher);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or SpecException)
        {
            return null;
        }
    }
}

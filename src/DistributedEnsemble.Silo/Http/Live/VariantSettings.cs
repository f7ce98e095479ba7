using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Silo.Http.Live;

/// <summary>The keys in which a run's members differ, as its folder has them.</summary>
internal static class VariantSettings
{
    /// <returns>Of each variant in turn {key: value}; member i has those of variant i modulo their number. Null where members do not differ, or the spec cannot be read.</returns>
    public static JsonArray? Of(RunStorage storage, string run)
    {
        var folder = new RunFolder(storage, run);
        try
        {
            var spec = EnsembleSpec.FromJson(folder.ReadAllText(RunFolder.SpecFile));
            var settings = MemberSettings.Of(spec, [.. Enumerable.Range(0, spec.Variants.Count)]);
            return settings.IsEmpty ? null : new JsonArray([.. settings.Select(variant => (JsonNode)new JsonObject(
                variant.Select(setting => KeyValuePair.Create(setting.Key, setting.Value is null ? null : JsonNode.Parse(setting.Value)))))]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or SpecException)
        {
            return null;
        }
    }
}

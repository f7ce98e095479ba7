using System.Text.Json;
using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Networks;

/// <summary>Layers as JSON, for those who rebuild a network without this program: a layer's name and its parameters.</summary>
internal static class LayerDescription
{
    public static JsonArray Of(IEnumerable<Layer> layers) => [.. layers.Select(Of)];

    private static JsonNode Of(Layer layer)
    {
        var json = new JsonObject { ["layer"] = CamelCase(layer.GetType().Name) };
        foreach (var property in layer.GetType().GetProperties().Where(property => !property.PropertyType.IsAssignableTo(typeof(Delegate)))) json[CamelCase(property.Name)] = Value(property.GetValue(layer));
        return json;
    }

    private static JsonNode? Value(object? value) => value switch
    {
        null => null,
        Layer layer => Of(layer),
        SpecSettings settings => settings.ToJson(),
        IEnumerable<Layer> layers => Of(layers),
        Enum choice => CamelCase(choice.ToString()),
        _ => JsonSerializer.SerializeToNode(value, value.GetType(), JsonSerializerOptions.Web),
    };

    private static string CamelCase(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}

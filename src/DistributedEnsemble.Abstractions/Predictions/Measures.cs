using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistributedEnsemble.Predictions;

/// <summary>
/// Numbers with names, in the order in which people read them: which there are depends on the task, save "nll", the mean
/// negative logarithm of the likelihood, which every task has. A dot in a name makes groups in JSON: "coverage.0.9" is
/// {"coverage":{"0.9":…}}.
/// </summary>
[GenerateSerializer, Immutable, Alias("ensemble.measures")]
[JsonConverter(typeof(MeasuresJson))]
public sealed record Measures([property: Id(0)] ImmutableArray<Measured> All)
{
    public static Measures Of(params ReadOnlySpan<(string Name, double? Value)> measures)
    {
        var all = ImmutableArray.CreateBuilder<Measured>(measures.Length);
        foreach (var (name, value) in measures) all.Add(new Measured(name, value));
        return new Measures(all.MoveToImmutable());
    }

    /// <summary>Null for one that is undefined, or that is none of these.</summary>
    public double? Find(string name) => All.FirstOrDefault(measure => measure.Name == name).Value;

    /// <exception cref="KeyNotFoundException">It is undefined, or none of these.</exception>
    public double this[string name] => Find(name) ?? throw new KeyNotFoundException($"There is no measure \"{name}\" among {this}.");

    [JsonIgnore]
    public double Nll => this["nll"];

    /// <summary>The mean of each measure over several; undefined where it is so for one of them.</summary>
    /// <param name="several">At least one, all with the same names.</param>
    public static Measures Mean(IReadOnlyList<Measures> several) => new(
        [.. several[0].All.Select(measure => measure with
        {
            Value = several.All(one => one.Find(measure.Name) is not null) ? several.Average(one => one.Find(measure.Name)) : null,
        })]);

    public bool Equals(Measures? other) => other is not null && All.SequenceEqual(other.All);

    public override int GetHashCode() => All.Length;

    public override string ToString() => string.Join(", ", All.Select(measure => $"{measure.Name} {measure.Value}"));
}

/// <param name="Value">Null where it is undefined.</param>
[GenerateSerializer, Immutable, Alias("ensemble.measured")]
public readonly record struct Measured([property: Id(0)] string Name, [property: Id(1)] double? Value);

internal sealed class MeasuresJson : JsonConverter<Measures>
{
    public override Measures Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        var all = new List<Measured>();
        var root = JsonElement.ParseValue(ref reader);
        if (root.ValueKind != JsonValueKind.Object) throw new JsonException("Measures are an object.");
        foreach (var property in root.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Object) all.Add(new Measured(property.Name, Number(property.Value)));
            else all.AddRange(property.Value.EnumerateObject().Select(inner => new Measured($"{property.Name}.{inner.Name}", Number(inner.Value))));
        }

        return new Measures([.. all]);
    }

    public override void Write(Utf8JsonWriter writer, Measures value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var group in value.All.GroupBy(measure => measure.Name.Split('.')[0]))
        {
            var isGroup = group.First().Name.Contains('.');
            if (isGroup) writer.WriteStartObject(group.Key);
            foreach (var (name, number) in group)
            {
                writer.WritePropertyName(isGroup ? name[(group.Key.Length + 1)..] : name);
                if (number is { } finite && double.IsFinite(finite)) writer.WriteNumberValue(finite);
                else writer.WriteNullValue();
            }

            if (isGroup) writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static double? Number(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.Null => null,
        _ => throw new JsonException("A measure is a number or null."),
    };
}

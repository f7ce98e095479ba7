using System.Text.Json.Serialization.Metadata;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What a run knows of the table that it was trained on: what each column is, and how it becomes inputs.</summary>
/// <param name="Format">How the file was written.</param>
/// <param name="Columns">All columns but the target, in the order of the file. One that becomes no input is left out.</param>
/// <param name="RowsWithoutTarget">They neither train nor test.</param>
/// <param name="Notes">What people should know: a sentence each.</param>
public sealed record TableDescription(
    TableFormat Format, IReadOnlyList<ColumnEncoder> Columns, long RowsWithoutTarget, IReadOnlyList<string> Notes)
{
    /// <summary>The columns that become inputs.</summary>
    public IEnumerable<ColumnEncoder> Features => Columns.Where(column => column.Inputs > 0);

    /// <summary>The inputs that are indices of levels.</summary>
    public static IReadOnlyList<EmbeddedInput> Embedded(IEnumerable<ColumnEncoder> features)
    {
        var (place, embedded) = (0, new List<EmbeddedInput>());
        foreach (var feature in features)
        {
            if (feature.Embedded is { } levels) embedded.Add(new EmbeddedInput(place, levels.Levels, levels.Width));
            place += feature.Inputs;
        }

        return embedded;
    }

    internal string? Fault() => Format is null || Columns is null || Notes is null || Columns.Any(column => column is null) ? "its table is incomplete"
        : Columns.Select(column => column.Name).Distinct().Count() != Columns.Count ? "its table's columns are not distinct names"
        : Columns.Select(column => column.Fault()).FirstOrDefault(fault => fault is not null);

    /// <summary>Lets JSON tell the kinds of columns by their names.</summary>
    internal static void NameKinds(JsonTypeInfo type)
    {
        if (type.Type.IsAssignableTo(typeof(ColumnEncoder)))
        {
            // Overrides do not inherit what their base says of JSON.
            string[] derived = ["inputs", "inputNames", "embedded"];
            foreach (var property in type.Properties.Where(property => derived.Contains(property.Name)).ToArray()) type.Properties.Remove(property);
            foreach (var property in type.Properties.Where(property => property.Name == "name")) property.Order = -1;
        }

        if (type.Type != typeof(ColumnEncoder)) return;
        type.PolymorphismOptions = new JsonPolymorphismOptions
        {
            TypeDiscriminatorPropertyName = "kind",
            UnknownDerivedTypeHandling = System.Text.Json.Serialization.JsonUnknownDerivedTypeHandling.FailSerialization,
        };
        foreach (var kind in ColumnKinds.All) type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(kind.Encoder, kind.Name));
    }
}

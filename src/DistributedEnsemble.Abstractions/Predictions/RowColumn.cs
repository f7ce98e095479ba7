using System.Collections.Immutable;

namespace DistributedEnsemble.Predictions;

/// <summary>A column of a table's rows, as a client sends it.</summary>
/// <param name="Numbers">Not a number is missing; empty if the column is text.</param>
/// <param name="Texts">As a file would have them; empty is missing.</param>
[GenerateSerializer, Immutable, Alias("ensemble.row-column")]
public sealed record RowColumn(
    [property: Id(0)] string Name, [property: Id(1)] ImmutableArray<double> Numbers, [property: Id(2)] ImmutableArray<string> Texts)
{
    /// <summary>Rows.</summary>
    public int Count => Texts.IsDefaultOrEmpty ? Numbers.Length : Texts.Length;
}

/// <summary>A feature of a served table.</summary>
/// <param name="Datatype">FP64 of numbers, BYTES of everything else.</param>
[GenerateSerializer, Immutable, Alias("ensemble.served-column")]
public sealed record ServedColumn([property: Id(0)] string Name, [property: Id(1)] string Datatype)
{
    public const string Number = "FP64", Text = "BYTES";
}

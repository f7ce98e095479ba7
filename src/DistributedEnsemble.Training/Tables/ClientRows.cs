using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Makes inputs of rows that a client sends without a file: column by column, or all numbers of each row.</summary>
internal static class ClientRows
{
    /// <param name="columns">In any order; those that the run does not know are passed over.</param>
    /// <returns>Inputs, row after row.</returns>
    /// <exception cref="DataException">A column is missing or longer than another, or a cell does not fit its column.</exception>
    public static ImmutableArray<float> Encode(DataDescription data, ImmutableArray<RowColumn> columns)
    {
        var width = (int)data.Inputs.Width;
        var rows = columns.IsEmpty ? 0 : columns[0].Count;
        var inputs = new float[checked(rows * width)];
        var place = 0;
        foreach (var feature in data.Features)
        {
            var column = columns.FirstOrDefault(column => column.Name == feature.Name)
                ?? throw new DataException($"The column {OneLine.Quoted(feature.Name)} is missing: the run was trained with it. Send it, with empty cells where it is unknown.");
            if (column.Count != rows) throw new DataException($"The column {OneLine.Quoted(column.Name)} has {column.Count} {Plural.Of(column.Count, "row")}, and {OneLine.Quoted(columns[0].Name)} has {rows}: they must agree.");
            for (var row = 0; row < rows; row++)
                Encode(feature, column.Texts.IsDefaultOrEmpty ? new Cell(column.Numbers[row]) : new Cell(Encoding.UTF8.GetBytes(column.Texts[row].Trim())), row, inputs.AsSpan((row * width) + place, feature.Inputs));
            place += feature.Inputs;
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(inputs);
    }

    /// <param name="rows">The features of each row, in the order of the run's; not a number is missing.</param>
    /// <returns>Inputs, row after row.</returns>
    /// <exception cref="DataException">A number does not fit its column.</exception>
    public static ImmutableArray<float> Encode(DataDescription data, ImmutableArray<float> rows)
    {
        ColumnEncoder[] features = [.. data.Features];
        var inputs = new float[checked(rows.Length / features.Length * (int)data.Inputs.Width)];
        var rest = inputs.AsSpan();
        for (var i = 0; i < rows.Length; i++)
        {
            var feature = features[i % features.Length];
            Encode(feature, new Cell(rows[i]), i / features.Length, rest[..feature.Inputs]);
            rest = rest[feature.Inputs..];
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(inputs);
    }

    /// <summary>How a run is asked: a table's features by name, in order, and whether each is a number.</summary>
    public static ImmutableArray<ServedColumn> Columns(DataDescription data) => data.Table is null ? [] :
        [.. data.Features.Select(feature => new ServedColumn(feature.Name, feature is NumberColumn ? ServedColumn.Number : ServedColumn.Text))];

    private static void Encode(ColumnEncoder feature, Cell cell, int row, Span<float> inputs)
    {
        if (feature.Encode(cell, inputs) is { } reason) throw new DataException($"Row {row}, column {OneLine.Quoted(feature.Name)}: {reason}.");
    }
}

using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Where a table has the features, and their encoders.</summary>
internal sealed class FeatureCells
{
    private readonly (int Place, ColumnEncoder Encoder)[] _features;

    private FeatureCells((int, ColumnEncoder)[] features) => _features = features;

    /// <exception cref="DataException">A feature is missing.</exception>
    public static FeatureCells Match(IReadOnlyList<string> columns, IEnumerable<ColumnEncoder> features, string file)
    {
        var places = columns.Index().ToDictionary(column => column.Item, column => column.Index);
        return new FeatureCells([.. features.Select(feature => places.TryGetValue(feature.Name, out var place)
            ? (place, feature)
            : throw new DataException($"{file} lacks the column {OneLine.Quoted(feature.Name)}, which the run was trained with. Add it, with empty cells where it is unknown."))]);
    }

    /// <summary>The features' cells, numbers with a decimal point.</summary>
    public string[] Texts(ITableRows rows)
    {
        var (texts, buffer) = (new string[_features.Length], new char[64]);
        for (var i = 0; i < texts.Length; i++)
        {
            var (place, encoder) = _features[i];
            var cell = rows[place];
            texts[i] = encoder is NumberColumn column && column.TryNumber(cell, out var number) ? number.ToString("R", System.Globalization.CultureInfo.InvariantCulture) : cell.Text(ref buffer).ToString();
        }

        return texts;
    }

    /// <summary>Writes the inputs of the row that was read.</summary>
    /// <param name="unfit">Where cells that do not fit are missing ones; null where there must be none.</param>
    /// <exception cref="DataException">A cell does not fit its column.</exception>
    public void Encode(ITableRows rows, Span<float> inputs, UnfitCells? unfit = null)
    {
        foreach (var (place, encoder) in _features)
        {
            if (encoder.Encode(rows[place], inputs[..encoder.Inputs]) is { } reason)
            {
                var error = rows.Error(place, reason);
                if (unfit is null || encoder.Encode(new Cell([]), inputs[..encoder.Inputs]) is not null) throw error;
                unfit.Add(error);
            }

            inputs = inputs[encoder.Inputs..];
        }
    }
}

/// <summary>Cells of rows that test, which do not fit what the training rows say of their columns.</summary>
internal sealed class UnfitCells
{
    private long _count;
    private string? _first;

    public void Add(DataException error)
    {
        _first ??= error.Message;
        _count++;
    }

    public IEnumerable<string> Notes => _first is null ? [] :
        [_count == 1 ? $"A cell of the test rows is taken for a missing one. {_first}" : $"{_count:N0} cells of the test rows are taken for missing ones. The first: {_first}"];
}

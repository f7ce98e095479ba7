using System.Globalization;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Reports.Figures;

/// <summary>Cells as people read them, from the inputs that they became.</summary>
internal static class InputWords
{
    /// <summary>Of some features, by name.</summary>
    public static IReadOnlyDictionary<string, string> Of(DataDescription data, ReadOnlySpan<float> row)
    {
        var (cells, place) = (new Dictionary<string, string>(), 0);
        foreach (var feature in data.Features)
        {
            cells[feature.Name] = Cell(feature, row.Slice(place, feature.Inputs));
            place += feature.Inputs;
        }

        return cells;
    }

    private static string Cell(ColumnEncoder feature, ReadOnlySpan<float> inputs) => feature switch
    {
        NumberColumn { Missing: true } when inputs[1] != 0 => "missing",
        NumberColumn number => Number(number, inputs[0]),
        DateTimeColumn { Missing: true } when inputs[^1] != 0 => "missing",
        DateTimeColumn date => DateTimeOffset.FromUnixTimeSeconds((long)Math.Round((inputs[0] * date.Deviation) + date.Mean)).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        CategoryColumn { Vector: not null } category => Level(category, (int)inputs[0]),
        CategoryColumn category => Level(category, inputs.IndexOf(1f)),
        PlainNumberColumn => Number(inputs[0]),
        LeftOutColumn => "",
        _ => throw new InvalidOperationException($"{feature.GetType().Name} has no words for its cells."),
    };

    private static string Level(CategoryColumn category, int place) =>
        place >= 0 && place < category.Levels.Count ? category.Levels[place] : category.Missing && place == category.Levels.Count ? "missing" : "other";

    /// <summary>Without the digits that an input in float32 has lost.</summary>
    private static string Number(NumberColumn column, float input)
    {
        var number = (input * column.Deviation) + column.Mean;
        return Number(Math.Abs(number) < 1e-6 * column.Deviation ? 0 : number);
    }

    private static string Number(double number) => number.ToString("G5", CultureInfo.InvariantCulture);
}

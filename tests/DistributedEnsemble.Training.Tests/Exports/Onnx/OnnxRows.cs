using System.Globalization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Exports.Onnx;

/// <summary>Rows of a table with all that a cell can be: missing in many words, never seen, far away.</summary>
internal static class OnnxRows
{
    private static readonly string[] s_strange = ["", "NA", "n/A", "nUll", "?", "never seen"];

    public static RowColumn[] Of(DataDescription data, int rows, int seed = 0)
    {
        var random = new Random(seed);
        return [.. data.Features.Select(feature => feature switch
        {
            NumberColumn number => new RowColumn(feature.Name, [.. Cells(() => random.Next(6) == 0 ? double.NaN : number.Mean + (number.Deviation * 4 * (random.NextDouble() - 0.5)))], []),
            DateTimeColumn date => new RowColumn(feature.Name, [], [.. Cells(() => random.Next(6) == 0 ? "" : Date(date, random))]),
            CategoryColumn category => new RowColumn(feature.Name, [], [.. Cells(() => random.Next(4) == 0
                ? s_strange[random.Next(s_strange.Length)] : category.Levels[random.Next(category.Levels.Count)])]),
            _ => throw new NotSupportedException(feature.ToString()),
        })];

        IEnumerable<T> Cells<T>(Func<T> cell) => Enumerable.Range(0, rows).Select(_ => cell());
    }

    /// <summary>As the file takes a date.</summary>
    public static double Seconds(DateTimeColumn date, string text)
    {
        if (text.Length == 0) return double.NaN;
        var time = DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.NoCurrentDateDefault);
        return date.IsOfDay ? time.TimeOfDay.TotalSeconds : (time - DateTime.UnixEpoch).TotalSeconds;
    }

    private static string Date(DateTimeColumn date, Random random) => date.IsOfDay
        ? $"{random.Next(24)}:{random.Next(60):00}:{random.Next(60):00}"
        : DateTime.UnixEpoch.AddSeconds(Math.Floor(date.Mean + (date.Deviation * 6 * (random.NextDouble() - 0.5)))).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}

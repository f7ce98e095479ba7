using System.Text.Json;
using DistributedEnsemble.Training;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Writes predictions, a row at a time: for people, for spreadsheets, for programs.</summary>
internal static class PredictionWriters
{
    public static Action<TextWriter, PredictedRows> For(IAnsiConsole console, bool json) =>
        json ? Json : console.IsInteractive() ? Table : Csv;

    /// <summary>RFC 4180 with a header: the label, the entropy in nats, the probability of each class.</summary>
    public static void Csv(TextWriter writer, PredictedRows rows)
    {
        writer.WriteLine(string.Join(',', rows.Classes.Select(name => CsvCell.Of($"p({name})")).Prepend("entropy").Prepend("label")));
        foreach (var row in rows.Rows)
        {
            writer.Write($"{CsvCell.Of(rows.Classes[row.Best])},{row.Entropy}");
            foreach (var probability in row.Probabilities.Span) writer.Write($",{probability}");
            writer.WriteLine();
        }
        writer.Flush();
    }

    public static void Json(TextWriter writer, PredictedRows rows)
    {
        writer.Write("{\"rows\":[");
        var separator = "";
        foreach (var row in rows.Rows)
        {
            var probabilities = rows.Classes.Select((name, index) => KeyValuePair.Create(name, row.Probabilities.Span[index]));
            var line = new JsonRow(rows.Classes[row.Best], new Dictionary<string, float>(probabilities), row.Entropy);
            writer.Write($"{separator}{JsonSerializer.Serialize(line, RunStatusJson.Options)}");
            separator = ",";
        }
        writer.WriteLine("]}");
        writer.Flush();
    }

    /// <summary>A line per row: the class, its probability, what comes next, and the entropy.</summary>
    public static void Table(TextWriter writer, PredictedRows rows)
    {
        const int LongestName = 24;
        // Labels come from data, and a terminal obeys control characters.
        string[] names = [.. rows.Classes.Select(name => OneLine.Of(name, LongestName))];
        var (number, label) = (Math.Max("row".Length, $"{rows.Rows.Count()}".Length), names.Append("label").Max(name => name.Length));
        writer.WriteLine($"{"row".PadLeft(number)}  {"label".PadRight(label)}  probability  {"next".PadRight(label)}            entropy");
        foreach (var (index, row) in rows.Rows.Index())
        {
            var (best, next) = (row.Best, Second(row));
            var probabilities = row.Probabilities.Span;
            writer.WriteLine(
                $"{$"{index + 1}".PadLeft(number)}  {names[best].PadRight(label)}  {Percent(probabilities[best]),11}  " +
                $"{names[next].PadRight(label)}  {Percent(probabilities[next]),8}  {row.Entropy,7:0.0000}");
        }
        writer.Flush();
    }

    private static int Second(PredictedRow row)
    {
        var best = row.Best;
        var probabilities = row.Probabilities.Span;
        var second = best == 0 ? 1 : 0;
        for (var i = 0; i < probabilities.Length; i++) if (i != best && probabilities[i] > probabilities[second]) second = i;
        return second;
    }

    private static string Percent(float share) => $"{100 * share:0.00} %";

    private sealed record JsonRow(string Label, Dictionary<string, float> Probabilities, double Entropy);
}

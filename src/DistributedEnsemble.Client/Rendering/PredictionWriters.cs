using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Predictions;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Writes predictions, a row at a time: for people, for spreadsheets, for programs.</summary>
internal static class PredictionWriters
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Action<TextWriter, PredictedRows> For(IAnsiConsole console, bool json) =>
        json ? Json : console.IsInteractive() ? Table : (writer, rows) => Csv(writer, rows);

    /// <summary>RFC 4180 with a header: the columns that were passed on, then each column by its name; of one with several elements p(NAME) for each.</summary>
    /// <returns>The rows.</returns>
    public static long Csv(TextWriter writer, PredictedRows rows)
    {
        writer.WriteLine(string.Join(',', rows.PassedColumns.Select(CsvCell.Of).Concat(rows.Columns.SelectMany(column =>
            column.Columns.IsEmpty ? [NameOf(column)] : column.Columns.Select(name => CsvCell.Of($"p({name})"))))));
        var count = 0L;
        foreach (var (passed, row) in Rows(rows))
        {
            count++;
            var separator = "";
            foreach (var cell in passed)
            {
                writer.Write($"{separator}{CsvCell.Of(cell)}");
                separator = ",";
            }

            foreach (var (_, element) in row.SelectMany(cells => cells))
            {
                writer.Write($"{separator}{(element is string text ? CsvCell.Of(text) : element)}");
                separator = ",";
            }

            writer.WriteLine();
        }
        writer.Flush();
        return count;
    }

    /// <summary>
    /// {"rows":[{"NAME":value}]}: a column with several elements is an object of them, and "columns" is one of those that were passed on.
    /// </summary>
    public static void Json(TextWriter writer, PredictedRows rows)
    {
        writer.Write("{\"rows\":[");
        var separator = "";
        using var buffer = new MemoryStream();
        foreach (var (passed, row) in Rows(rows))
        {
            buffer.SetLength(0);
            using (var json = new Utf8JsonWriter(buffer, s_json))
            {
                json.WriteStartObject();
                foreach (var (column, cells) in rows.Columns.Zip(row))
                {
                    json.WritePropertyName(NameOf(column));
                    if (!column.Columns.IsEmpty) json.WriteStartObject();
                    foreach (var (name, element) in cells)
                    {
                        if (!column.Columns.IsEmpty) json.WritePropertyName(name);
                        if (element is string text) json.WriteStringValue(text);
                        else if (element is long integer) json.WriteNumberValue(integer);
                        else json.WriteNumberValue((float)element);
                    }

                    if (!column.Columns.IsEmpty) json.WriteEndObject();
                }

                if (passed.Length > 0) WritePassed(json, rows.PassedColumns, passed);
                json.WriteEndObject();
            }

            writer.Write(separator);
            writer.Write(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
            separator = ",";
        }
        writer.WriteLine("]}");
        writer.Flush();
    }

    private static void WritePassed(Utf8JsonWriter json, IReadOnlyList<string> names, string[] cells)
    {
        json.WriteStartObject("columns");
        foreach (var (name, cell) in names.Zip(cells)) json.WriteString(name, cell);
        json.WriteEndObject();
    }

    /// <summary>A line per row: each column of one element, and of one with several the two largest, with their names.</summary>
    public static void Table(TextWriter writer, PredictedRows rows)
    {
        // Labels come from data, and a terminal obeys control characters.
        const int LongestName = 24;
        List<string[]> lines = [["row", .. rows.Columns.SelectMany(column => column.Columns.IsEmpty
            ? new[] { NameOf(column) }
            : ["probability", "next", "probability"])]];
        foreach (var (index, (_, row)) in Rows(rows).Index())
        {
            List<string> line = [$"{index + 1}"];
            foreach (var (column, cells) in rows.Columns.Zip(row))
            {
                if (column.Columns.IsEmpty)
                {
                    line.Add(cells[0].Element is string text ? OneLine.Of(text, LongestName) : $"{cells[0].Element:0.0000}");
                    continue;
                }

                var largest = cells.OrderByDescending(cell => (float)cell.Element).Take(2).ToArray();
                line.AddRange([Percent(largest[0].Element), OneLine.Of(largest[1].Name, LongestName), Percent(largest[1].Element)]);
            }

            lines.Add([.. line]);
        }

        var widths = Enumerable.Range(0, lines[0].Length).Select(i => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines)
            writer.WriteLine(string.Join("  ", line.Select((cell, i) => IsText(i) ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
        writer.Flush();

        bool IsText(int place) => lines[0][place] is "label" or "next";
    }

    /// <summary>Each row's passed cells, and its own: by column, by element.</summary>
    private static IEnumerable<(string[] Passed, IReadOnlyList<(string Name, object Element)[]> Cells)> Rows(PredictedRows rows) =>
        from batch in rows.Batches
        from row in Enumerable.Range(0, batch.Rows)
        select (batch.Passed[row], (IReadOnlyList<(string, object)[]>)
        [
            .. rows.Columns.Zip(batch.Values, (column, values) => Enumerable.Range(0, column.Width).Select(i =>
                (column.Columns.IsEmpty ? column.Name : column.Columns[i], Element(values, row * column.Width + i))).ToArray()),
        ]);

    private static object Element(OutputValues values, int place) =>
        values.Numbers.Length > place ? values.Numbers[place] : values.Integers.Length > place ? values.Integers[place] : values.Texts[place];

    private static string NameOf(OutputDescription column)
    {
        var words = column.Name.Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static string Percent(object share) => $"{100 * (float)share:0.00} %";
}

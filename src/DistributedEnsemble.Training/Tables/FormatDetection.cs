using System.Globalization;
using System.Text;
using CsvHelper;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Finds a table's dialect by looking at its beginning.</summary>
internal static class FormatDetection
{
    private const int MostRows = 1000, FewValues = 20, FewestCounted = 3, ManyCounted = 5, MostTitles = 20, FewestTitled = 4, FewestGrouped = 3, ShortestRule = 3, FewestOfValue = 5;
    private const double MostlySteady = 0.9;

    private static readonly char[] s_separators = [',', ';', '\t', '|'];

    /// <param name="text">UTF-8 without a mark.</param>
    /// <param name="isWhole">Whether it is all of the file, its last row too.</param>
    /// <param name="header">Null finds it.</param>
    /// <exception cref="DataException">There is nothing.</exception>
    public static TableFormat Of(ReadOnlySpan<byte> text, bool isWhole, bool? header, string file)
    {
        var before = LinesBefore(text, out var lines, out var named);
        var sample = new Sample(text[before..].ToArray(), isWhole);
        if (header != false && Titles(sample, named, out var titles) is > 0 and var length)
            (sample, lines) = (new Sample(sample.Text[length..], isWhole), lines + titles);
        if (sample.Text.AsSpan().Trim(" \t\r\n"u8).IsEmpty) throw new DataException($"{file} is empty: a table has rows, and in its first line the names of its columns.");
        var (separator, quote, rows) = Shape(sample, named);
        var hasRule = header != false && rows.Length > 1 && IsRule(rows[1]);
        if (hasRule) rows = [rows[0], .. rows[2..]];
        var hasRowNames = header != false && HasRowNames(rows);
        if (hasRowNames) rows[0] = ["", .. rows[0]];
        var endsWithSeparator = rows[0].Length > 1 && rows.All(row => row.Length < rows[0].Length || row[^1].Length == 0);
        if (endsWithSeparator) rows = [.. rows.Select(row => row.Length == rows[0].Length ? row[..^1] : row)];
        rows = [.. rows.Where((row, i) => i == 0 || row.Length == rows[0].Length)];
        return new TableFormat(
            separator, separator == ',' ? '.' : Decimal(rows, separator), quote, header ?? (hasRule || HasHeader(rows)), TableFormat.Utf8, TableFormat.Uncompressed)
        {
            LinesBefore = lines,
            HasRule = hasRule,
            EndsWithSeparator = endsWithSeparator,
            HasRowNames = hasRowNames,
        };
    }

    /// <summary>Comment lines, empty lines and Excel's sep=; before the first row.</summary>
    private static int LinesBefore(ReadOnlySpan<byte> text, out int lines, out char? separator)
    {
        (lines, separator) = (0, null);
        var before = 0;
        while (text[before..].IndexOf((byte)'\n') is >= 0 and var length)
        {
            var line = text.Slice(before, length).Trim(" \r"u8);
            var named = line.Trim((byte)'"');
            if (named.Length == 5 && Ascii.EqualsIgnoreCase(named[..4], "sep="u8)) separator = (char)named[4];
            else if (!line.IsEmpty && line[0] != '#') break;
            before += length + 1;
            lines++;
        }

        return before;
    }

    /// <summary>
    /// Lines of one text at most, above a row of names that numbers stand below: the title of a sheet, and when it was printed.
    /// </summary>
    /// <returns>Their bytes.</returns>
    private static int Titles(Sample sample, char? named, out int lines)
    {
        lines = 0;
        var (text, isWhole, quote) = (sample.Text, sample.IsWhole, sample.Quote);
        var separators = named is { } one ? [one] : s_separators;
        // Where every row is as wide as the first, this has the names, whatever another separator would make of the rows.
        if (separators.Select(sample.Rows).Any(rows => rows.Length > 0 && !IsTitle(rows[0]) && Steadiness(rows) == 1)) return 0;
        foreach (var separator in separators)
        {
            var (before, isTitle) = (0, true);
            var widths = new HashSet<int>();
            for (lines = 0; isTitle && lines < MostTitles && text.AsSpan(before).IndexOf((byte)'\n') is >= 0 and var length;)
            {
                var line = text[before..(before + length)];
                string[] cells = line.Count((byte)quote) % 2 == 0 && Parse(line, isWhole: true, separator, quote) is [var only] ? only : [];
                isTitle = line.AsSpan().Trim(" \r"u8).IsEmpty || (cells.Length > 0 && IsTitle(cells));
                if (!isTitle) continue;
                if (cells.Length > 1) widths.Add(cells.Length);
                before += length + 1;
                lines++;
            }

            if (lines == 0 || isTitle) continue;
            var rows = Parse(text[before..], isWhole, separator, quote);
            if (rows.Length < FewestTitled || widths.Any(width => width == 2 || width != rows[0].Length) || HasRowNames(rows) || Steadiness(rows) < MostlySteady) continue;
            if (rows[0].Index().Any(name => !IsMissing(name.Item) && !BeginsAsNumber(name.Item) && AreAmounts([.. rows.Skip(1).Select(row => row.ElementAtOrDefault(name.Index) ?? "")]))) return before;
        }

        lines = 0;
        return 0;
    }

    /// <summary>Whether it is a line under the names, as in Markdown: |---|:--:|.</summary>
    private static bool IsRule(string[] cells) =>
        cells.Any(cell => cell.Length > 0) && cells.All(cell => cell.Length == 0 || (cell.Length >= ShortestRule && cell.Trim(':').All(character => character is '-' or '=') && cell.Trim(':').Length > 0));

    /// <summary>Whether nothing stands behind the first cell.</summary>
    private static bool IsTitle(string[] cells) => cells.Skip(1).All(cell => cell.Length == 0);

    /// <summary>Numbers, in whatever they wear, or dates.</summary>
    private static bool AreAmounts(string[] cells) => cells.Any(BeginsAsNumber) && cells.All(cell => IsMissing(cell) || BeginsAsNumber(cell));

    private static bool BeginsAsNumber(string text) => text.TrimStart('-', '+', '(', '$', '€', '£', '¥', '\u2212', ' ') is [>= '0' and <= '9', ..];

    private static bool AreNumbers(string[] cells) => cells.Any(IsNumber) && cells.All(cell => IsMissing(cell) || IsNumber(cell));

    /// <summary>The separator and quote under which most rows have the same number of cells, and the more the better.</summary>
    private static (char Separator, char Quote, string[][] Rows) Shape(Sample sample, char? named)
    {
        var (text, isWhole, quote) = (sample.Text, sample.IsWhole, sample.Quote);
        var candidates = (named is { } one ? [one] : s_separators)
            .Select(separator => (Separator: separator, Rows: sample.Rows(separator)))
            .Where(candidate => candidate.Rows.Length > 0).ToList();
        if (candidates.Count == 0) return (named ?? ',', quote, [[Encoding.UTF8.GetString(text)]]);
        var best = candidates.MaxBy(candidate => candidate.Rows[0].Length < 2 ? (-1.0, 0) : (Steadiness(candidate.Rows), candidate.Rows[0].Length));
        // Text has blanks in it: they separate only where nothing else does, and each row has as many of them.
        var isUnsteady = best.Rows[0].Length < 2 || (best.Separator == BlankSeparated.Separator && Steadiness(best.Rows) < 1);
        if (isUnsteady && named is null && Parse(BlankSeparated.Of(text, quote), isWhole, BlankSeparated.Separator, quote) is [{ Length: > 1 }, _, ..] blank && Steadiness(blank) == 1)
            return (TableFormat.Blank, quote, blank);
        return (best.Separator, quote, best.Rows);
    }

    private static double Steadiness(string[][] rows)
    {
        var width = rows[0].Length + (HasRowNames(rows) ? 1 : 0);
        return rows.Index().Count(row => row.Index == 0 || row.Item.Length == width || (row.Item.Length == width + 1 && row.Item[^1].Length == 0)) / (double)rows.Length;
    }

    /// <summary>Whether rows have a cell more than the first, as R writes the names of rows.</summary>
    private static bool HasRowNames(string[][] rows) =>
        2 * rows.Skip(1).Count(row => row.Length == rows[0].Length + 1 && row[^1].Length > 0) > rows.Length - 1;

    /// <summary>' where it opens and closes cells and " does not.</summary>
    private static char QuoteOf(ReadOnlySpan<byte> text)
    {
        var (opened, closed) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var (opens, closes) = (i == 0 || IsBorder(text[i - 1]), i + 1 == text.Length || IsBorder(text[i + 1]));
            if (text[i] == '"' && opens) return '"';
            if (text[i] != '\'') continue;
            if (opens) opened++;
            if (closes) closed++;
        }

        return opened > 0 && opened == closed ? '\'' : '"';

        static bool IsBorder(byte character) => character is (byte)',' or (byte)';' or (byte)'\t' or (byte)'|' or (byte)'\n' or (byte)'\r';
    }

    private static string[][] Parse(byte[] text, bool isWhole, char separator, char quote)
    {
        var rows = new List<string[]>();
        using var reader = CsvReader.Create(text, new CsvReaderOptions { Separator = separator, Quote = quote, HasHeader = false, OnMalformedRecord = _ => { } });
        while (rows.Count < MostRows && reader.Read())
        {
            var row = new string[reader.FieldCount];
            for (var i = 0; i < row.Length; i++) row[i] = Encoding.UTF8.GetString(reader.GetSpan(i)).Trim();
            rows.Add(row);
        }

        // The sample may end within a row.
        if (!isWhole && rows.Count is > 1 and < MostRows) rows.RemoveAt(rows.Count - 1);
        return [.. rows];
    }

    private static char Decimal(string[][] rows, char separator)
    {
        bool IsColumn(int column, char point) =>
            rows.Skip(1).Select(row => Encoding.UTF8.GetBytes(row[column])).Where(cell => !MissingCells.Are(cell)).All(cell => Numbers.TryParse(cell, point, out _, out _));
        var (points, commas) = (0, 0);
        for (var column = 0; column < rows[0].Length; column++)
        {
            var (point, comma) = (IsColumn(column, '.'), IsColumn(column, ','));
            if (point && !comma) points++;
            // 1.234 beside 997 and 12: points between thousands, where a semicolon says that commas are decimal.
            if (comma && (!point || (separator == ';' && AreGrouped(column)))) commas++;
        }

        bool AreGrouped(int column)
        {
            var cells = rows.Skip(1).Select(row => row[column]).Where(cell => !IsMissing(cell)).ToArray();
            var grouped = cells.Count(cell => cell.Contains('.', StringComparison.Ordinal));
            return grouped >= FewestGrouped && grouped < cells.Length;
        }

        return commas > points ? ',' : '.';
    }

    /// <summary>
    /// Whether the first row names the columns. It does not where
    /// <list type="bullet">
    /// <item>all of its cells are empty, or one is a number (or "?"), unless its numbers count columns or years;</item>
    /// <item>more of its cells are levels of their columns than are names: texts above numbers, or above levels that they are none of;</item>
    /// <item>two of its cells are equal and stand above texts, and no name stands above numbers.</item>
    /// </list>
    /// </summary>
    private static bool HasHeader(string[][] rows)
    {
        var names = rows[0];
        if (names.All(name => name.Length == 0)) return false;
        var (repeats, isAboveNumbers, count) = (false, false, Count(rows));
        // A column may be named as one of its levels: "survived", "survived", "died".
        var (asNames, asCells) = (0, 0);
        var repeated = names.CountBy(name => name).Where(name => name.Value > 1).Select(name => name.Key).ToHashSet();
        for (var column = 0; column < names.Length; column++)
        {
            var name = names[column];
            if (name.Length == 0) continue;
            if ((!count && IsNumber(name)) || name == "?") return false;
            if (count && IsNumber(name)) continue;
            var below = rows.Skip(1).Select(row => row[column]).ToArray();
            var mayName = !IsMissing(name) && !BeginsAsNumber(name);
            var isNamed = mayName && AreNumbers(below);
            var values = below.Distinct().Take(FewValues + 1).Count();
            if (values <= FewValues && below.Contains(name)) asCells++;
            else if (isNamed || (mayName && values > 1 && values <= FewValues && FewestOfValue * values <= below.Length)) asNames++;
            isAboveNumbers |= isNamed;
            if (repeated.Contains(name) && !below.All(cell => cell.Length == 0 || IsNumber(cell))) repeats = true;
        }

        return asCells <= asNames && (!repeats || isAboveNumbers);
    }

    /// <summary>Whether the numbers among the names are a count, as of columns without names or of years.</summary>
    private static bool Count(string[][] rows)
    {
        var numbers = rows[0].Index().Where(name => IsNumber(name.Item)).Select(name => (name.Index, Name: name.Item, Value: double.Parse(name.Item, CultureInfo.InvariantCulture))).ToArray();
        if (numbers.Length < FewestCounted || numbers.Any(number => number.Value != Math.Floor(number.Value))) return false;
        var step = numbers[1].Value - numbers[0].Value;
        if (step <= 0 || numbers.Zip(numbers.Skip(1)).Any(pair => pair.Second.Value - pair.First.Value != step)) return false;
        // Numbers alone may be the first row of the data as well, unless they count from 0, or many from 1.
        var (areMany, first) = (numbers.Length >= ManyCounted, numbers[0].Value);
        if (numbers.Length == rows[0].Length && !(step == 1 && (first == 0 || (first == 1 && areMany)))) return false;
        return areMany || !numbers.Any(number => rows.Skip(1).Any(row => row[number.Index] == number.Name));
    }

    /// <summary>The beginning of the rows, divided once by each separator.</summary>
    private sealed class Sample(byte[] text, bool isWhole)
    {
        private readonly Dictionary<char, string[][]> _rows = [];
        private char? _quote;

        public byte[] Text => text;
        public bool IsWhole => isWhole;
        public char Quote => _quote ??= QuoteOf(text);

        public string[][] Rows(char separator)
        {
            if (!_rows.TryGetValue(separator, out var rows)) _rows.Add(separator, rows = Parse(text, isWhole, separator, Quote));
            return rows;
        }
    }

    private static bool IsMissing(string text) => MissingCells.Are(Encoding.UTF8.GetBytes(text));

    private static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number);
}

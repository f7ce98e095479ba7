using System.Text;
using CsvHelper;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Rows of delimited text. Every error names line and column. Empty lines are passed over.</summary>
internal sealed class TextRows : ITableRows
{
    private const int LargestRow = 16 << 20;

    private readonly CsvReader _reader;
    private readonly string _file;
    private readonly TableFormat _format;
    private readonly string[] _columns;
    private readonly HashSet<int> _unnamed = [];
    private bool _isAhead;

    /// <param name="text">UTF-8 from the first line of the file on; is disposed with the rows.</param>
    /// <param name="file">What errors call it.</param>
    public TextRows(Stream text, string file, TableFormat format)
    {
        (_file, _format) = (file, format);
        for (var line = 0; line < format.LinesBefore; line++) SkipLine(text);
        _reader = CsvReader.Create(format.Separator == TableFormat.Blank ? new BlankSeparated(text, format.Quote!.Value) : text, Options(file, format));
        _columns = ReadColumns();
        if (format is { Header: true, HasRule: true }) Advance();
    }

    public IReadOnlyList<string> Columns => _columns;

    public bool IsNamed(int column) => !_unnamed.Contains(column);

    public Cell this[int column] => new(Text(column), _format.Decimal);

    public bool Read()
    {
        if (_isAhead)
        {
            _isAhead = false;
            return true;
        }

        if (!Advance()) return false;
        var count = _reader.FieldCount;
        if (count == _columns.Length || (count == _columns.Length + 1 && Text(count - 1).IsEmpty)) return true;
        throw count < _columns.Length
            ? Error(count, $"the row ends after {count} {Plural.Of(count, "cell")}, and the first has {_columns.Length}")
            : new DataException($"{_file}, line {Line}, column {_columns.Length + 1}: the row has {count} {Plural.Of(count, "cell")}, and the first has {_columns.Length}.");
    }

    public DataException Error(int column, string reason) =>
        new($"{_file}, line {Line}, column {column + 1} ({OneLine.Quoted(_columns[column])}): {reason}.");

    public void Dispose() => _reader.Dispose();

    private long Line => _reader.LineNumber + _format.LinesBefore;

    private ReadOnlySpan<byte> Text(int column) => _reader.GetSpan(column).Trim(" \t\r\n\v\f"u8);

    private static CsvReaderOptions Options(string file, TableFormat format) => new()
    {
        Separator = format.Separator == TableFormat.Blank ? BlankSeparated.Separator : format.Separator!.Value,
        Quote = format.Quote!.Value,
        HasHeader = false,
        MaxRecordSize = LargestRow,
        TrackLineNumbers = true,
        OnMalformedRecord = row =>
        {
            // A quote inside of a cell without quotes is text: 5" of rain.
            if (row.Reason != CsvMalformedReason.StrayQuote)
                throw new DataException($"{file}, line {row.LineNumber + format.LinesBefore}: {InWords(row.Reason)}.");
        },
    };

    private static string InWords(CsvMalformedReason reason) =>
        reason == CsvMalformedReason.UnterminatedQuote ? "a quoted cell is never closed" : "text follows the closing quote of a cell";

    private string[] ReadColumns()
    {
        if (!Advance()) throw new DataException($"{_file}: the file has no rows.");
        _isAhead = !_format.Header;
        var before = _format is { Header: true, HasRowNames: true } ? 1 : 0;
        var columns = new string[before + _reader.FieldCount - (_format.EndsWithSeparator ? 1 : 0)];
        for (var i = 0; i < columns.Length; i++)
        {
            var name = _format.Header && i >= before ? Encoding.UTF8.GetString(Text(i - before)).Trim() : "";
            if (ColumnNames.IsNone(name, i)) _unnamed.Add(i);
            columns[i] = name.Length > 0 ? name : ColumnNames.OfPlace(i);
        }

        ColumnNames.Check(columns, $"{_file}, line {Line}");
        return columns;
    }

    private bool Advance()
    {
        try
        {
            return _reader.Read();
        }
        catch (CsvFormatException e)
        {
            throw new DataException($"{_file}, line {e.LineNumber + _format.LinesBefore}: a row of more than {LargestRow >> 20} MiB starts here.", e);
        }
    }

    private static void SkipLine(Stream text)
    {
        while (text.ReadByte() is not ('\n' or -1))
        {
        }
    }
}

internal static class ColumnNames
{
    /// <summary>What a column without a name is called.</summary>
    public static string OfPlace(int place) => $"column{place + 1}";

    /// <summary>Whether what a file has for a name says no more than that there was none: nothing, or what pandas, R's readr, or pandas in Parquet write for it.</summary>
    public static bool IsNone(string name, int place) =>
        name.Length == 0 || name == $"Unnamed: {place}" || name == $"...{place + 1}" || name.StartsWith("__index_level_", StringComparison.Ordinal);

    /// <exception cref="DataException">Two are equal.</exception>
    public static void Check(string[] columns, string where)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Length; i++)
        {
            if (!places.TryAdd(columns[i], i))
                throw new DataException($"{where}: columns {places[columns[i]] + 1} and {i + 1} are both named {OneLine.Quoted(columns[i])}. Rename one of them, or say data.header false if these are no names.");
        }
    }
}

using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using CsvHelper;

namespace DistributedEnsemble.Training;

/// <summary>
/// A CSV file with a header (RFC 4180, UTF-8, invariant culture), row after row in little memory. Every error names the
/// line and the column. Empty lines are passed over; a byte order mark of UTF-16 is honoured.
/// </summary>
internal sealed class CsvTable : IDisposable
{
    private const int LargestRow = 16 << 20;

    private static readonly CsvReaderOptions Options = new()
    {
        Separator = ',',
        HasHeader = false,
        MaxRecordSize = LargestRow,
        TrackLineNumbers = true,
    };

    private readonly CsvReader _reader;
    private readonly string _file;
    private readonly string[] _columns;

    /// <param name="file">What errors call it.</param>
    /// <exception cref="DataException">The header is missing or unusable.</exception>
    public CsvTable(Stream stream, string file)
    {
        _file = file;
        var options = Options with { OnMalformedRecord = row => throw new DataException($"{file}, {CsvQuoting.Describe(row)}.") };
        _reader = CsvReader.Create(stream, options, leaveOpen: true);
        _columns = ReadHeader();
    }

    /// <summary>The trimmed names.</summary>
    public IReadOnlyList<string> Columns => _columns;

    public long Line => _reader.LineNumber;

    /// <summary>Goes to the next row, which has a cell for each column.</summary>
    public bool Read()
    {
        if (!Advance()) return false;
        var count = _reader.FieldCount;
        if (count < _columns.Length)
            throw Error(count, $"the row ends after {count} cells, but the header names {_columns.Length} columns");
        if (count > _columns.Length)
            throw new DataException($"{_file}, line {Line}, column {_columns.Length + 1}: the row has {count} cells, but the header names {_columns.Length} columns.");
        return true;
    }

    /// <summary>A finite number that float32 can hold.</summary>
    public float Number(int column)
    {
        var cell = NotEmpty(column);
        if (!float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            throw Error(column, $"{Excerpt.Of(cell)} is not a number");
        if (float.IsFinite(number)) return number;
        var digits = cell.IndexOfAnyInRange((byte)'0', (byte)'9') >= 0;
        throw Error(column, digits ? $"{Excerpt.Of(cell)} is outside the range of float32" : $"{Excerpt.Of(cell)} is not a finite number");
    }

    /// <summary>The trimmed bytes of a cell, valid until the next row.</summary>
    public ReadOnlySpan<byte> Text(int column)
    {
        var cell = NotEmpty(column);
        return Utf8.IsValid(cell) ? cell : throw Error(column, "the cell is not UTF-8 text");
    }

    public DataException Error(int column, string reason) =>
        new($"{_file}, line {Line}, column {column + 1} ({Excerpt.Of(_columns[column])}): {reason}.");

    public DataException Error(string reason) => new($"{_file}: {reason}.");

    public void Dispose() => _reader.Dispose();

    private ReadOnlySpan<byte> NotEmpty(int column)
    {
        var cell = Trim(_reader.GetSpan(column));
        return cell.IsEmpty ? throw Error(column, "the cell is empty") : cell;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> cell) => cell.Trim(" \t\r\n\v\f"u8);

    private string[] ReadHeader()
    {
        if (!Advance()) throw Error("the file is empty; its first line must name the columns");
        var columns = new string[_reader.FieldCount];
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var numbers = 0;
        for (var i = 0; i < columns.Length; i++)
        {
            var cell = Trim(_reader.GetSpan(i));
            if (!Utf8.IsValid(cell)) throw HeaderError(i, "the name is not UTF-8 text");
            if (cell.IsEmpty) throw HeaderError(i, "the column has no name");
            columns[i] = Encoding.UTF8.GetString(cell).Trim();
            if (columns[i].Length == 0) throw HeaderError(i, "the column has no name");
            if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) numbers++;
        }

        if (numbers == columns.Length)
            throw HeaderError(0, $"{Excerpt.Of(columns[0])} and all the other names are numbers, so this is no header; the first line must name the columns");
        for (var i = 0; i < columns.Length; i++)
        {
            if (!places.TryAdd(columns[i], i))
                throw HeaderError(i, $"the name {Excerpt.Of(columns[i])} is already that of column {places[columns[i]] + 1}");
        }

        return columns;
    }

    private DataException HeaderError(int column, string reason) => new($"{_file}, line {Line}, column {column + 1}: {reason}.");

    private bool Advance()
    {
        try
        {
            return _reader.Read();
        }
        catch (CsvFormatException e)
        {
            throw new DataException($"{_file}, line {e.LineNumber}, column 1: a row of more than {LargestRow >> 20} MiB starts here.", e);
        }
    }
}

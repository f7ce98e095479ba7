using System.Globalization;
using System.Text;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Data;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Rows of a Parquet file, a row group of it in memory at a time.</summary>
internal sealed class ParquetRows : ITableRows
{
    // Programs write decimals of 38 digits, and .NET's have 29.
    private static readonly ParquetOptions s_options = new() { UseBigDecimal = true };

    private readonly Stream _stream;
    private readonly string _file;
    private readonly ParquetReader _reader;
    private readonly DataField[] _fields;
    private readonly string[] _columns;
    private IParquetColumn[] _values = [];
    private int _group = -1, _row = -1, _rows;
    private long _rowsBefore;

    /// <param name="stream">Of the whole file, seekable; is disposed with the rows.</param>
    /// <param name="file">What errors call it.</param>
    public ParquetRows(Stream stream, string file)
    {
        (_stream, _file) = (stream, file);
        stream.Position = 0;
        _reader = Checked(() => ParquetReader.CreateAsync(stream, s_options, false, CancellationToken.None));
        _fields = _reader.Schema.GetDataFields();
        if (_fields.FirstOrDefault(field => IsList(field) || !ParquetColumns.CanRead(field.ClrType)) is { } odd)
            throw new DataException($"{file}: the column {OneLine.Quoted(odd.Path.ToString())} holds {(IsList(odd) ? "lists" : odd.ClrType == typeof(ReadOnlyMemory<byte>) ? "bytes" : odd.ClrType.Name)}, and a table has one number or text in each cell. Leave it out of the file.");
        _columns = [.. _fields.Select((field, i) => field.Path.ToString() is { Length: > 0 } name ? name : ColumnNames.OfPlace(i))];
        ColumnNames.Check(_columns, file);
    }

    public IReadOnlyList<string> Columns => _columns;

    public bool IsNamed(int column) => !ColumnNames.IsNone(_fields[column].Path.ToString(), column);

    public Cell this[int column] => _values[column].Cell(_row);

    public bool Read()
    {
        if (++_row < _rows) return true;
        while (++_group < _reader.RowGroupCount)
        {
            _rowsBefore += _rows;
            using var group = _reader.OpenRowGroupReader(_group);
            _values = [.. _fields.Select(field => Checked(() => ParquetColumns.ReadAsync(group, field)))];
            (_row, _rows) = (0, checked((int)group.RowCount));
            if (_rows > 0) return true;
        }

        return false;
    }

    public DataException Error(int column, string reason) =>
        new($"{_file}, row {_rowsBefore + _row + 1}, column {column + 1} ({OneLine.Quoted(_columns[column])}): {reason}.");

    public void Dispose()
    {
        _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _stream.Dispose();
    }

    private static bool IsList(DataField field) => field.IsArray || field.MaxRepetitionLevel > 0;

    /// <summary>The library throws whatever it meets in damaged bytes.</summary>
    private T Checked<T>(Func<Task<T>> read)
    {
        try
        {
            return read().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (OutOfMemoryException or DataException))
        {
            // What a seek to nowhere says names a place in memory or on this disk, and nothing of the file.
            if (e is IOException or ArgumentException or IndexOutOfRangeException or NullReferenceException or OverflowException)
                throw new DataException($"{_file} cannot be read as Parquet: it is cut short or damaged, or something else. Write it again.", e);
            throw new DataException($"{_file} cannot be read as Parquet: {OneLine.Quoted(e.Message.ReplaceLineEndings(" "))}", e);
        }
    }
}

/// <summary>The cells of a column in a row group.</summary>
internal interface IParquetColumn
{
    Cell Cell(int row);
}

internal static class ParquetColumns
{
    private static readonly Dictionary<Type, Func<ParquetRowGroupReader, DataField, int, Task<IParquetColumn>>> s_readers = new()
    {
        [typeof(byte)] = Numbers<byte>(n => n),
        [typeof(sbyte)] = Numbers<sbyte>(n => n),
        [typeof(short)] = Numbers<short>(n => n),
        [typeof(ushort)] = Numbers<ushort>(n => n),
        [typeof(int)] = Numbers<int>(n => n),
        [typeof(uint)] = Numbers<uint>(n => n),
        [typeof(long)] = Numbers<long>(n => n),
        [typeof(ulong)] = Numbers<ulong>(n => n),
        [typeof(float)] = Numbers<float>(AsWritten),
        [typeof(double)] = Numbers<double>(n => n),
        [typeof(BigDecimal)] = Numbers<BigDecimal>(Rounded),
        [typeof(bool)] = Texts<bool>(truth => truth ? "true" : "false"),
        [typeof(DateTime)] = Texts<DateTime>(time => time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)),
        [typeof(DateOnly)] = Texts<DateOnly>(day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        [typeof(TimeOnly)] = Texts<TimeOnly>(time => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture)),
        [typeof(TimeSpan)] = Numbers<TimeSpan>(span => span.TotalSeconds),
        [typeof(Guid)] = Texts<Guid>(id => id.ToString()),
        // What the library's schema says of texts that it reads.
        [typeof(ReadOnlyMemory<char>)] = async (group, field, rows) =>
        {
            var values = new string?[rows];
            await group.ReadAsync(field, values.AsMemory());
            return new TextColumn(values);
        },
    };

    public static bool CanRead(Type type) => s_readers.ContainsKey(type);

    public static Task<IParquetColumn> ReadAsync(ParquetRowGroupReader group, DataField field) => s_readers[field.ClrType](group, field, checked((int)group.RowCount));

    /// <summary>0.1 rather than 0.10000000149011612: the number that the same table has as text.</summary>
    private static double AsWritten(float number)
    {
        Span<byte> text = stackalloc byte[32];
        return float.IsFinite(number) && number.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture)
            ? double.Parse(text[..length], NumberStyles.Float, CultureInfo.InvariantCulture) : number;
    }

    /// <summary>The nearest number, as the same table has it as text.</summary>
    private static double Rounded(BigDecimal number) =>
        double.Parse($"{number.UnscaledValue.ToString(CultureInfo.InvariantCulture)}e-{number.Scale}", NumberStyles.Float, CultureInfo.InvariantCulture);

    private static Func<ParquetRowGroupReader, DataField, int, Task<IParquetColumn>> Numbers<T>(Func<T, double> convert)
        where T : struct => async (group, field, rows) => new NumberColumn(
            Array.ConvertAll(await ValuesAsync<T>(group, field, rows), value => value is { } number && convert(number) is var read && double.IsFinite(read) ? read : double.NaN));

    private static Func<ParquetRowGroupReader, DataField, int, Task<IParquetColumn>> Texts<T>(Func<T, string> convert)
        where T : struct => async (group, field, rows) => new TextColumn(
            Array.ConvertAll(await ValuesAsync<T>(group, field, rows), value => value is { } item ? convert(item) : null));

    private static async Task<T?[]> ValuesAsync<T>(ParquetRowGroupReader group, DataField field, int rows)
        where T : struct
    {
        var values = new T?[rows];
        if (field.IsNullable)
        {
            await group.ReadAsync(field, values.AsMemory());
            return values;
        }

        var plain = new T[rows];
        await group.ReadAsync(field, plain.AsMemory());
        return Array.ConvertAll(plain, value => (T?)value);
    }

    private sealed class NumberColumn(double[] values) : IParquetColumn
    {
        public Cell Cell(int row) => new(values[row]);
    }

    private sealed class TextColumn(string?[] values) : IParquetColumn
    {
        public Cell Cell(int row) => new(Encoding.UTF8.GetBytes(values[row] ?? "").AsSpan().Trim(" \t\r\n"u8));
    }
}

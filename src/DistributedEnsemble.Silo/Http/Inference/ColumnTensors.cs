using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Silo.Http.Inference;

/// <summary>
/// A table's columns, an input each, named as they are: the convention of MLServer's pandas codec. Of the shape [rows] or
/// [rows, 1]; numbers, texts, or null where a cell is missing. The body has a byte at least for each cell that is read of it.
/// </summary>
/// <param name="hold">Is told of memory before it is taken: a cell takes many times its bytes in the body.</param>
internal sealed class ColumnTensors(ServedModel model, HttpSettings limits, Action<long> hold)
{
    /// <summary>Bytes of texts that are made before they are told.</summary>
    private const int Piece = 1 << 16;

    private const int MostDimensions = 2;

    /// <summary>The cells of the column that is being read: they grow once for all columns.</summary>
    private readonly List<double> _numbers = [];
    private readonly List<string> _texts = [];
    private long _untold;

    /// <summary>Columns that the model does not know are read, and passed over later: more than these nobody needs.</summary>
    private int MostColumns => (2 * model.Columns.Length) + 1000;

    /// <summary>What a request needs, for people.</summary>
    public string InWords => $"one for each column: {string.Join(", ", model.Columns.Take(5).Select(column => OneLine.Quoted(column.Name)))}{(model.Columns.Length > 5 ? ", …" : "")}";

    /// <param name="json">Stands on the array's bracket, and ends on the one that closes it.</param>
    /// <param name="binary">What follows the JSON.</param>
    public ImmutableArray<RowColumn> Read(ref Utf8JsonReader json, ReadOnlyMemory<byte> binary)
    {
        var columns = ImmutableArray.CreateBuilder<RowColumn>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (columns.Count == MostColumns) throw HttpError.BadRequest($"The request has more than {MostColumns} inputs: this model takes {InWords}.");
            var column = ReadColumn(ref json, columns.Count, ref binary);
            if (!names.Add(column.Name)) throw HttpError.BadRequest($"The input {OneLine.Quoted(column.Name)} is given twice: keep one of the two.");
            if (columns.Count > 0 && column.Count != columns[0].Count)
                throw HttpError.BadRequest($"The input {OneLine.Quoted(column.Name)} has {column.Count} {Plural.Of(column.Count, "row")}, and {OneLine.Quoted(columns[0].Name)} has {columns[0].Count}: they must agree.");
            columns.Add(column);
        }

        if (columns.Count == 0) throw HttpError.BadRequest($"The request has no inputs: it needs {InWords}.");
        if (!binary.IsEmpty) throw HttpError.BadRequest($"{binary.Length} bytes follow those of the inputs: their binary_data_size says how many there are.");
        if (model.Columns.FirstOrDefault(column => !names.Contains(column.Name)) is { } absent)
            throw HttpError.BadRequest($"The request lacks the input {OneLine.Quoted(absent.Name)}: this model takes {InWords}. Cells may be missing (null or \"\"), columns not.");
        return columns.ToImmutable();
    }

    private RowColumn ReadColumn(ref Utf8JsonReader json, int place, ref ReadOnlyMemory<byte> binary)
    {
        var what = $"inputs[{place}]";
        JsonFields.Expect(ref json, JsonTokenType.StartObject, what, "an object");
        string? name = null, datatype = null;
        long[]? shape = null;
        long? size = null;
        RowColumn? cells = null;
        while (JsonFields.Next(ref json, out var property))
        {
            switch (property)
            {
                case "name": name = JsonFields.Once(name, JsonFields.Text(ref json, $"{what}.name"), $"{what}.name"); break;
                case "datatype": datatype = JsonFields.Once(datatype, JsonFields.Text(ref json, $"{what}.datatype"), $"{what}.datatype"); break;
                case "shape": shape = JsonFields.Once(shape, InputFields.Shape(ref json, what, MostDimensions, "[rows, 1] or [rows]"), $"{what}.shape"); break;
                case "parameters": size = JsonFields.Once(size, InputFields.BinarySize(ref json, what), $"{what}.parameters"); break;
                case "data" when json.TokenType == JsonTokenType.Null: break;
                case "data": cells = JsonFields.Once(cells, ReadCells(ref json, what), $"{what}.data"); break;
                default: json.Skip(); break;
            }
        }

        if (name is null) throw HttpError.BadRequest($"{what} has no name: it is that of a column.");
        if (size is not null && cells is not null) throw HttpError.BadRequest($"{what} has data and binary_data_size: its cells are in the JSON or behind it, not both.");
        var column = size is { } bytes ? Binary(name, what, datatype, Take(ref binary, bytes, what))
            : cells is not null ? cells with { Name = name }
            : throw HttpError.BadRequest($"{what} ({OneLine.Quoted(name)}) has no data: it needs a cell for each row.");
        if (column.Count < 1) throw HttpError.BadRequest($"{what} ({OneLine.Quoted(name)}) has no rows: it needs at least one.");
        if (shape is not null && !(shape.Length >= 1 && shape[0] == column.Count && (shape.Length == 1 || shape[1] == 1)))
            throw HttpError.BadRequest($"{what} ({OneLine.Quoted(name)}) has the shape [{string.Join(", ", shape)}] and {column.Count} {Plural.Of(column.Count, "cell")}: a column is [rows, 1] or [rows].");
        return column;
    }

    /// <summary>Numbers as long as all are, texts from the first on that is none.</summary>
    private RowColumn? ReadCells(ref Utf8JsonReader json, string what)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartArray, $"{what}.data", "an array");
        _numbers.Clear();
        _texts.Clear();
        var (depth, areTexts) = (1, false);
        while (depth > 0 && json.Read())
        {
            if ((areTexts ? _texts.Count : _numbers.Count) > limits.MaxRows) throw TooMany(what);
            switch (json.TokenType)
            {
                case JsonTokenType.StartArray when depth == MostDimensions: throw HttpError.BadRequest($"{what}.data is nested too deeply: a column is [rows, 1] or [rows].");
                case JsonTokenType.StartArray: depth++; break;
                case JsonTokenType.EndArray: depth--; break;
                case JsonTokenType.Number when !areTexts:
                    if (!json.TryGetDouble(out var number) || !double.IsFinite(number)) throw HttpError.BadRequest($"Element {_numbers.Count} of {what}.data is outside of FP64.");
                    _numbers.Add(number);
                    break;
                case JsonTokenType.Null when !areTexts: _numbers.Add(double.NaN); break;
                case JsonTokenType.Number or JsonTokenType.Null or JsonTokenType.String or JsonTokenType.True or JsonTokenType.False:
                    if (!areTexts) foreach (var before in _numbers) AddText(Text(before));
                    areTexts = true;
                    HoldText(json.ValueSpan.Length);
                    _texts.Add(json.TokenType switch
                    {
                        JsonTokenType.String => json.GetString()!,
                        JsonTokenType.Null => "",
                        JsonTokenType.True => "true",
                        JsonTokenType.False => "false",
                        _ => Encoding.UTF8.GetString(json.ValueSpan),
                    });
                    break;
                default: throw HttpError.BadRequest($"{what}.data holds an object: a cell is a number, a text or null.");
            }
        }

        if (!areTexts) hold(sizeof(double) * (long)_numbers.Count);
        return areTexts ? new RowColumn("", [], [.. _texts]) : new RowColumn("", [.. _numbers], []);
    }

    private void AddText(string text)
    {
        HoldText(text.Length);
        _texts.Add(text);
    }

    /// <param name="length">Characters at most.</param>
    private void HoldText(int length)
    {
        _untold += InferRequest.BytesOfText(length);
        if (_untold < Piece) return;
        hold(_untold);
        _untold = 0;
    }

    /// <summary>Told at once, as a cell takes many times its bytes in the body.</summary>
    private HttpError TooMany(string what) => HttpError.TooLarge($"{what} has more than {limits.MaxRows} rows: one request takes up to {limits.MaxRows}.");

    private static string Text(double number) => double.IsNaN(number) ? "" : number.ToString("R");

    private static ReadOnlySpan<byte> Take(ref ReadOnlyMemory<byte> binary, long size, string what)
    {
        if (size < 0 || size > binary.Length) throw HttpError.BadRequest($"{what}'s binary_data_size is {size}, and {binary.Length} bytes are left behind the JSON.");
        var bytes = binary.Span[..(int)size];
        binary = binary[(int)size..];
        return bytes;
    }

    private RowColumn Binary(string name, string what, string? datatype, ReadOnlySpan<byte> bytes) => datatype switch
    {
        "BYTES" => new RowColumn(name, [], Texts(bytes, what)),
        "FP64" => Numbers<double>(name, what, bytes),
        "FP32" => Numbers<float>(name, what, bytes),
        "FP16" => Numbers<Half>(name, what, bytes),
        "INT64" => Numbers<long>(name, what, bytes),
        "INT32" => Numbers<int>(name, what, bytes),
        "INT16" => Numbers<short>(name, what, bytes),
        "INT8" => Numbers<sbyte>(name, what, bytes),
        "UINT64" => Numbers<ulong>(name, what, bytes),
        "UINT32" => Numbers<uint>(name, what, bytes),
        "UINT16" => Numbers<ushort>(name, what, bytes),
        "UINT8" => Numbers<byte>(name, what, bytes),
        _ => throw HttpError.BadRequest($"{what} ({OneLine.Quoted(name)}) has the datatype {OneLine.Quoted(datatype)}: a column is BYTES, FP64, FP32, FP16, or INT and UINT of 8 to 64 bits."),
    };

    private RowColumn Numbers<T>(string name, string what, ReadOnlySpan<byte> bytes)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes);
        if (values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>() != bytes.Length) throw HttpError.BadRequest($"{what} ({OneLine.Quoted(name)}) has {bytes.Length} bytes, which are no whole numbers of its datatype.");
        if (values.Length > limits.MaxRows) throw TooMany(what);
        hold(sizeof(double) * (long)values.Length);
        var numbers = new double[values.Length];
        TensorPrimitives.ConvertTruncating(values, numbers);
        return new RowColumn(name, ImmutableCollectionsMarshal.AsImmutableArray(numbers), []);
    }

    /// <summary>Each with its length before it, four bytes little-endian.</summary>
    private ImmutableArray<string> Texts(ReadOnlySpan<byte> bytes, string what)
    {
        var texts = ImmutableArray.CreateBuilder<string>();
        while (!bytes.IsEmpty)
        {
            if (texts.Count == limits.MaxRows) throw TooMany(what);
            if (bytes.Length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(bytes) is var length && (length < 0 || length > bytes.Length - sizeof(int)))
                throw HttpError.BadRequest($"{what}'s text {texts.Count} is longer than what is left of its bytes.");
            HoldText(length);
            texts.Add(Encoding.UTF8.GetString(bytes.Slice(sizeof(int), length)));
            bytes = bytes[(sizeof(int) + length)..];
        }

        return texts.ToImmutable();
    }
}

using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>
/// A table's columns, an input each, named as they are: the convention of MLServer's pandas codec. Of the shape [rows] or
/// [rows, 1]; numbers, texts, or null where a cell is missing. The body has a byte at least for each cell that is read of it.
/// </summary>
/// <param name="hold">Is told of memory before it is taken: a cell takes many times its bytes in the body.</param>
internal sealed class ColumnTensors(ServedModel model, HttpSettings limits, Action<long> hold)
{
    private const int MostDimensions = 2;

    /// <summary>The cells of the column that is being read: they grow once for all columns.</summary>
    private readonly List<double> _numbers = [];
    private readonly List<string> _texts = [];

    /// <param name="json">Stands on the array's bracket, and ends on the one that closes it.</param>
    /// <param name="binary">What follows the JSON.</param>
    public ImmutableArray<RowColumn> Read(ref Utf8JsonReader json, ReadOnlyMemory<byte> binary)
    {
        var columns = new InputColumns(model, limits, hold);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            columns.CheckRoom();
            ReadColumn(ref json, columns, ref binary);
        }

        if (columns.Count > 0 && !binary.IsEmpty) throw HttpError.BadRequest($"{binary.Length} bytes follow those of the inputs: their binary_data_size says how many there are.");
        return columns.All();
    }

    private void ReadColumn(ref Utf8JsonReader json, InputColumns columns, ref ReadOnlyMemory<byte> binary)
    {
        var what = $"inputs[{columns.Count}]";
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
                case "data": cells = JsonFields.Once(cells, ReadCells(ref json, columns, what), $"{what}.data"); break;
                default: json.Skip(); break;
            }
        }

        if (name is null) throw HttpError.BadRequest($"{what} has no name: it is that of a column.");
        InputColumns.CheckDatatype(name, what, datatype);
        if (size is not null && cells is not null) throw HttpError.BadRequest($"{what} has data and binary_data_size: its cells are in the JSON or behind it, not both.");
        columns.Add(
            size is { } bytes ? columns.OfBytes(name, what, datatype, Take(ref binary, bytes, what))
            : cells is not null ? cells with { Name = name }
            : throw HttpError.BadRequest($"{what} ({OneLine.Quoted(name)}) has no data: it needs a cell for each row."),
            what, shape);
    }

    /// <summary>Numbers as long as all are, texts from the first on that is none.</summary>
    private RowColumn? ReadCells(ref Utf8JsonReader json, InputColumns columns, string what)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartArray, $"{what}.data", "an array");
        _numbers.Clear();
        _texts.Clear();
        var (depth, areTexts) = (1, false);
        while (depth > 0 && json.Read())
        {
            if ((areTexts ? _texts.Count : _numbers.Count) > limits.MaxRows) throw columns.TooMany(what);
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
                    if (!areTexts) foreach (var before in _numbers) AddText(columns, Text(before));
                    areTexts = true;
                    columns.HoldText(json.ValueSpan.Length);
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

    private void AddText(InputColumns columns, string text)
    {
        columns.HoldText(text.Length);
        _texts.Add(text);
    }

    private static string Text(double number) => double.IsNaN(number) ? "" : number.ToString("R");

    private static ReadOnlySpan<byte> Take(ref ReadOnlyMemory<byte> binary, long size, string what)
    {
        if (size < 0 || size > binary.Length) throw HttpError.BadRequest($"{what}'s binary_data_size is {size}, and {binary.Length} bytes are left behind the JSON.");
        var bytes = binary.Span[..(int)size];
        binary = binary[(int)size..];
        return bytes;
    }
}

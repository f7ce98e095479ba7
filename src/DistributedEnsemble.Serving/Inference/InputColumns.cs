using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>
/// The rules of a table's rows that come column by column: an input each, named as the column is, of the shape [rows] or [rows, 1].
/// The columns of one request are gathered here.
/// </summary>
/// <param name="hold">Is told of memory before it is taken: a cell takes many times its bytes in the request.</param>
internal sealed class InputColumns(ServedModel model, HttpSettings limits, Action<long> hold)
{
    private const string Bytes = "BYTES", Bool = "BOOL";

    /// <summary>Bytes of texts that are made before they are told.</summary>
    private const int Piece = 1 << 16;

    /// <summary>Inputs that the model does not know, of which one may be meant for a column.</summary>
    private const int MostCompared = 100;

    private readonly ImmutableArray<RowColumn>.Builder _columns = ImmutableArray.CreateBuilder<RowColumn>();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private long _untold;

    /// <summary>Columns that the model does not know are read, and passed over later: more than these nobody needs.</summary>
    private int MostColumns => (2 * model.Columns.Length) + 1000;

    public int Count => _columns.Count;

    /// <summary>What a request needs, for people.</summary>
    public string InWords => $"one for each column: {string.Join(", ", model.Columns.Take(5).Select(column => OneLine.Quoted(column.Name)))}{(model.Columns.Length > 5 ? ", …" : "")}";

    /// <exception cref="HttpError">There are as many as there may be.</exception>
    public void CheckRoom()
    {
        if (Count == MostColumns) throw HttpError.BadRequest($"The request has more than {MostColumns} inputs: this model takes {InWords}.");
    }

    /// <param name="what">What errors call the input.</param>
    /// <param name="shape">As the request has it; null if it has none.</param>
    /// <exception cref="HttpError">It has no rows, another shape, other rows than those before it, or the name of one.</exception>
    public void Add(RowColumn column, string what, IReadOnlyList<long>? shape)
    {
        if (column.Count < 1) throw HttpError.BadRequest($"{what} ({OneLine.Quoted(column.Name)}) has no rows: it needs at least one.");
        if (shape is not null && !(shape.Count is 1 or 2 && shape[0] == column.Count && (shape.Count == 1 || shape[1] == 1)))
            throw HttpError.BadRequest($"{what} ({OneLine.Quoted(column.Name)}) has the shape [{string.Join(", ", shape)}] and {column.Count} {Plural.Of(column.Count, "cell")}: a column is [rows, 1] or [rows].");
        if (!_names.Add(column.Name)) throw HttpError.BadRequest($"The input {OneLine.Quoted(column.Name)} is given twice: keep one of the two.");
        if (Count > 0 && column.Count != _columns[0].Count)
            throw HttpError.BadRequest($"The input {OneLine.Quoted(column.Name)} has {column.Count} {Plural.Of(column.Count, "row")}, and {OneLine.Quoted(_columns[0].Name)} has {_columns[0].Count}: they must agree.");
        _columns.Add(column);
    }

    /// <exception cref="HttpError">There are none, or the model needs one more.</exception>
    public ImmutableArray<RowColumn> All()
    {
        if (Count == 0) throw HttpError.BadRequest($"The request has no inputs: it needs {InWords}.");
        if (model.Columns.FirstOrDefault(column => !_names.Contains(column.Name)) is { } absent)
        {
            throw HttpError.BadRequest(
                $"The request lacks the input {OneLine.Quoted(absent.Name)}{(Misspelt(absent.Name) is { } sent ? $", and has {OneLine.Quoted(sent)}, which the model does not know" : "")}: "
                + $"this model takes {InWords}. Cells may be missing (null or \"\"), columns not.");
        }

        return _columns.ToImmutable();
    }

    /// <exception cref="HttpError">There is no such datatype. Whoever writes cells as JSON need not say one.</exception>
    public static void CheckDatatype(string name, string what, string? datatype)
    {
        if (datatype is not (null or Bytes or Bool) && !InputDatatype.IsKnown(datatype)) throw Unknown(name, what, datatype);
    }

    /// <param name="bytes">Numbers, little-endian; a byte for true or false; or texts, each with its length before it, four bytes little-endian.</param>
    /// <exception cref="HttpError">They are none of the datatype, or too many.</exception>
    public RowColumn OfBytes(string name, string what, string? datatype, ReadOnlySpan<byte> bytes) => datatype switch
    {
        Bytes => new RowColumn(name, [], Texts(bytes, what)),
        Bool => new RowColumn(name, [], Truths(bytes, what)),
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
        _ => throw Unknown(name, what, datatype),
    };

    /// <summary>Told at once, as a cell takes many times its bytes in the body.</summary>
    public HttpError TooMany(string what) => HttpError.TooLarge($"{what} has more than {limits.MaxRows} rows: one request takes up to {limits.MaxRows}.");

    /// <summary>Tells of a text's memory.</summary>
    /// <param name="length">Characters at most.</param>
    public void HoldText(int length)
    {
        _untold += InferRequest.BytesOfText(length);
        if (_untold < Piece) return;
        hold(_untold);
        _untold = 0;
    }

    private static HttpError Unknown(string name, string what, string? datatype) => HttpError.BadRequest(
        $"{what} ({OneLine.Quoted(name)}) has the datatype {OneLine.Quoted(datatype)}: a column is BYTES, BOOL, FP64, FP32, FP16, or INT and UINT of 8 to 64 bits.");

    /// <summary>What was sent in place of a column, and is nearly its name.</summary>
    private string? Misspelt(string absent)
    {
        var known = model.Columns.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        string[] others = [.. _columns.Select(column => column.Name).Where(name => !known.Contains(name)).Take(MostCompared)];
        return others.Length == 0 ? null : Nearest.Like(absent, others);
    }

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

    private ImmutableArray<string> Truths(ReadOnlySpan<byte> bytes, string what)
    {
        if (bytes.Length > limits.MaxRows) throw TooMany(what);
        var texts = ImmutableArray.CreateBuilder<string>(bytes.Length);
        foreach (var cell in bytes)
        {
            var text = cell == 0 ? "false" : "true";
            HoldText(text.Length);
            texts.Add(text);
        }

        return texts.ToImmutable();
    }

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

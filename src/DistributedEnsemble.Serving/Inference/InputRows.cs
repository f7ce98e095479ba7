using System.Numerics.Tensors;
using System.Text.Json;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>
/// The rules of a model's rows where one tensor has all numbers of each row, whatever it is named. Nothing is allocated by a number
/// that the request has not paid for with as many bytes.
/// </summary>
/// <param name="hold">Is told of memory before it is taken.</param>
internal sealed class InputRows(ServedModel model, HttpSettings limits, Action<long> hold)
{
    /// <summary>Whether a request's only input has all numbers of each row of a table: it is none of its columns, or one of several that is called so.</summary>
    public static bool AreGivenBy(string only, ServedModel model) =>
        model.TakesRows && (model.Columns.All(column => column.Name != only) || (only == InferProtocol.InputName && model.Columns.Length > 1));

    /// <summary>Numbers of one row.</summary>
    public long Width { get; } = model.InputShape.Aggregate(1L, (product, size) => product * size);

    /// <summary>What a request needs, for people.</summary>
    private string InWords => $"one, \"{InferProtocol.InputName}\", of the shape {ShapeInWords}";

    public HttpError None => HttpError.BadRequest($"The request has no inputs: it needs {InWords}.");

    public HttpError TooMany => HttpError.BadRequest($"The request has more than one input: this model takes {InWords}.");

    private string ShapeInWords => $"[rows, {string.Join(", ", model.InputShape)}]";

    /// <summary>The numbers that a shape holds.</summary>
    /// <param name="sent">How many numbers the request has at most.</param>
    /// <exception cref="HttpError">There is no shape, or it does not fit the model, the limits or the request.</exception>
    public int Length(IReadOnlyList<long>? shape, long sent)
    {
        if (shape is null) throw HttpError.BadRequest($"The input has no shape: it is {ShapeInWords}.");
        return Fault(shape, sent) is { } fault ? throw fault : (int)(shape[0] * Width);
    }

    /// <summary>What is wrong with a shape; null if nothing is.</summary>
    /// <inheritdoc cref="Length"/>
    public HttpError? Fault(IReadOnlyList<long> shape, long sent)
    {
        if (shape.Count != model.InputShape.Length + 1 || !Fits(shape))
            return HttpError.BadRequest($"The input has the shape [{string.Join(", ", shape)}]: it must be {ShapeInWords}.");
        if (shape[0] < 1) return HttpError.BadRequest($"The input has {shape[0]} rows: it needs at least one.");
        if (shape[0] > limits.MaxRows) return HttpError.TooLarge($"The input has {shape[0]} rows: one request takes up to {limits.MaxRows}.");
        var numbers = (Int128)shape[0] * Width;
        return numbers <= sent ? null : HttpError.BadRequest($"The shape [{string.Join(", ", shape)}] has {numbers} numbers, and the request has not so many.");
    }

    private bool Fits(IReadOnlyList<long> shape)
    {
        for (var i = 0; i < model.InputShape.Length; i++) if (shape[i + 1] != model.InputShape[i]) return false;
        return true;
    }

    /// <inheritdoc cref="TensorData.Read"/>
    public float[] OfJson(ref Utf8JsonReader json, int length, long[] shape, InputDatatype type)
    {
        hold(sizeof(float) * (long)length);
        return TensorData.Read(ref json, length, shape, type);
    }

    /// <param name="bytes">Little-endian, of <paramref name="length"/> numbers.</param>
    /// <exception cref="HttpError">A number is not finite as float32.</exception>
    public float[] OfBytes(InputDatatype type, ReadOnlySpan<byte> bytes, int length)
    {
        hold(sizeof(float) * (long)length);
        var rows = GC.AllocateUninitializedArray<float>(length);
        type.Convert(bytes, rows);
        return TensorPrimitives.IsFiniteAll<float>(rows) ? rows : throw HttpError.BadRequest(
            $"Number {Array.FindIndex(rows, value => !float.IsFinite(value))} of the input is {rows.First(value => !float.IsFinite(value))} as float32: rows hold finite numbers only.");
    }
}

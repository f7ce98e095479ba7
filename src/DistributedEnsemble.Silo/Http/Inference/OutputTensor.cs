using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Silo.Http;

/// <summary>A tensor that a model answers with: its name, type and shape, how large it can be, and how a prediction fills its rows.</summary>
internal abstract class OutputTensor(string name, string datatype, params string[] dimensions)
{
    /// <summary>In the order in which a model's metadata lists them; the first is the default.</summary>
    public static IReadOnlyList<OutputTensor> All { get; } =
    [
        new Floats("probabilities", (prediction, row, values) => values.Write(Row(prediction.Probabilities.AsSpan(), prediction, row)), "classes"),
        new Labels(),
        new Integers("label_index", (prediction, row) => prediction.LabelIndices[row]),
        new Floats("entropy", (prediction, row, values) => values.Write(prediction.Entropies.AsSpan(row, 1))),
        new Floats("mutual_information", (prediction, row, values) => values.Write(prediction.MutualInformation.AsSpan(row, 1))),
        new Integers("members_used", (prediction, _) => prediction.MembersUsed.Length),
        new Floats("member_probabilities", MemberRow, "members", "classes"),
    ];

    public static OutputTensor Probabilities => All[0];

    public static OutputTensor MemberProbabilities => All[^1];

    public string Name => name;

    public string Datatype => datatype;

    /// <summary>With −1 where a size is not fixed.</summary>
    public long[] Shape(ServedModel model) => [-1, .. dimensions.Select(dimension => dimension == "classes" ? (long)model.Classes.Length : -1)];

    public long[] Shape(Prediction prediction) =>
    [
        prediction.Labels.Length,
        .. dimensions.Select(dimension => (long)(dimension == "classes" ? prediction.Classes.Length : prediction.MembersUsed.Length)),
    ];

    /// <summary>Bytes that one row takes at most, before any prediction.</summary>
    public long MostBytes(ServedModel model, bool isBinary) =>
        dimensions.Aggregate(1L, (product, dimension) => product * (dimension == "classes" ? model.Classes.Length : model.Members)) * MostElementBytes(model, isBinary);

    /// <summary>Bytes of all rows in binary.</summary>
    public virtual long BinaryBytes(Prediction prediction) => Shape(prediction).Aggregate(1L, (product, size) => product * size) * MostElementBytes(null, isBinary: true);

    /// <summary>A row's elements in row-major order, as JSON.</summary>
    public abstract void WriteJson(Utf8JsonWriter json, Prediction prediction, int row);

    /// <summary>A row's elements in row-major order, little-endian; texts behind their length as 32 bits.</summary>
    public abstract void WriteBytes(IBufferWriter<byte> bytes, Prediction prediction, int row);

    /// <param name="model">Null where the type alone says it.</param>
    protected abstract long MostElementBytes(ServedModel? model, bool isBinary);

    private static ReadOnlySpan<float> Row(ReadOnlySpan<float> values, Prediction prediction, int row) =>
        values.Slice(row * prediction.Classes.Length, prediction.Classes.Length);

    /// <summary>[members, classes] of a row of a prediction that has [members][rows, classes].</summary>
    private static void MemberRow(Prediction prediction, int row, FloatSink values)
    {
        foreach (var member in prediction.MemberProbabilities) values.Write(Row(member.AsSpan(), prediction, row));
    }

    private delegate void FloatsOf(Prediction prediction, int row, FloatSink values);

    /// <summary>Where a row's numbers go.</summary>
    private readonly struct FloatSink(Utf8JsonWriter? json, IBufferWriter<byte>? bytes)
    {
        public void Write(ReadOnlySpan<float> values)
        {
            bytes?.Write(MemoryMarshal.AsBytes(values));
            if (json is null) return;
            foreach (var value in values) json.WriteNumberValue(value);
        }
    }

    private sealed class Floats(string name, FloatsOf row, params string[] dimensions) : OutputTensor(name, "FP32", dimensions)
    {
        public override void WriteJson(Utf8JsonWriter json, Prediction prediction, int at) => row(prediction, at, new FloatSink(json, null));

        public override void WriteBytes(IBufferWriter<byte> bytes, Prediction prediction, int at) => row(prediction, at, new FloatSink(null, bytes));

        /// <summary>Sign, nine digits, point, an exponent of four and a comma.</summary>
        protected override long MostElementBytes(ServedModel? model, bool isBinary) => isBinary ? sizeof(float) : 16;
    }

    private sealed class Integers(string name, Func<Prediction, int, long> value) : OutputTensor(name, "INT64")
    {
        public override void WriteJson(Utf8JsonWriter json, Prediction prediction, int row) => json.WriteNumberValue(value(prediction, row));

        public override void WriteBytes(IBufferWriter<byte> bytes, Prediction prediction, int row)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.GetSpan(sizeof(long)), value(prediction, row));
            bytes.Advance(sizeof(long));
        }

        /// <summary>Sign, nineteen digits and a comma.</summary>
        protected override long MostElementBytes(ServedModel? model, bool isBinary) => isBinary ? sizeof(long) : 21;
    }

    private sealed class Labels() : OutputTensor("label", "BYTES")
    {
        public override long BinaryBytes(Prediction prediction) => prediction.Labels.Sum(label => (long)sizeof(int) + Encoding.UTF8.GetByteCount(label));

        public override void WriteJson(Utf8JsonWriter json, Prediction prediction, int row) => json.WriteStringValue(prediction.Labels[row]);

        public override void WriteBytes(IBufferWriter<byte> bytes, Prediction prediction, int row)
        {
            var label = prediction.Labels[row];
            var span = bytes.GetSpan(sizeof(int) + Encoding.UTF8.GetMaxByteCount(label.Length));
            var length = Encoding.UTF8.GetBytes(label, span[sizeof(int)..]);
            BinaryPrimitives.WriteInt32LittleEndian(span, length);
            bytes.Advance(sizeof(int) + length);
        }

        /// <summary>A character is three bytes of UTF-8 at most, or six as an escape; quotation marks and a comma stand around it.</summary>
        protected override long MostElementBytes(ServedModel? model, bool isBinary)
        {
            var longest = model?.Classes.Max(label => label.Length) ?? 0;
            return isBinary ? sizeof(int) + 3L * longest : 3 + 6L * longest;
        }
    }
}

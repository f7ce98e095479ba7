using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Silo.Http;

/// <summary>A tensor that a model answers with: its name, type and shape, and how a prediction fills it.</summary>
internal abstract class OutputTensor(string name, string datatype, params string[] dimensions)
{
    /// <summary>In the order in which a model's metadata lists them; the first is the default.</summary>
    public static IReadOnlyList<OutputTensor> All { get; } =
    [
        new Floats("probabilities", prediction => prediction.Probabilities.AsSpan(), "classes"),
        new Labels(),
        new Integers("label_index", prediction => [.. prediction.LabelIndices.Select(index => (long)index)]),
        new Floats("entropy", prediction => prediction.Entropies.AsSpan()),
        new Floats("mutual_information", prediction => prediction.MutualInformation.AsSpan()),
        new Integers("members_used", prediction => [.. prediction.Labels.Select(_ => (long)prediction.MembersUsed.Length)]),
        new Floats("member_probabilities", ByRow, "members", "classes"),
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

    /// <summary>The elements in row-major order, as JSON.</summary>
    public abstract void WriteJson(Utf8JsonWriter json, Prediction prediction);

    /// <summary>The elements in row-major order, little-endian; texts behind their length as 32 bits.</summary>
    public abstract byte[] ToBytes(Prediction prediction);

    /// <summary>[rows, members, classes] of a prediction that has [members][rows, classes].</summary>
    private static ReadOnlySpan<float> ByRow(Prediction prediction)
    {
        var (rows, members, classes) = (prediction.Labels.Length, prediction.MemberProbabilities.Length, prediction.Classes.Length);
        var values = new float[rows * members * classes];
        for (var row = 0; row < rows; row++)
        {
            for (var member = 0; member < members; member++)
            {
                prediction.MemberProbabilities[member].AsSpan().Slice(row * classes, classes)
                    .CopyTo(values.AsSpan((row * members + member) * classes));
            }
        }

        return values;
    }

    private delegate ReadOnlySpan<float> FloatsOf(Prediction prediction);

    private sealed class Floats(string name, FloatsOf values, params string[] dimensions) : OutputTensor(name, "FP32", dimensions)
    {
        public override void WriteJson(Utf8JsonWriter json, Prediction prediction)
        {
            foreach (var value in values(prediction)) json.WriteNumberValue(value);
        }

        public override byte[] ToBytes(Prediction prediction) => MemoryMarshal.AsBytes(values(prediction)).ToArray();
    }

    private sealed class Integers(string name, Func<Prediction, long[]> values) : OutputTensor(name, "INT64")
    {
        public override void WriteJson(Utf8JsonWriter json, Prediction prediction)
        {
            foreach (var value in values(prediction)) json.WriteNumberValue(value);
        }

        public override byte[] ToBytes(Prediction prediction) => MemoryMarshal.AsBytes(values(prediction).AsSpan()).ToArray();
    }

    private sealed class Labels() : OutputTensor("label", "BYTES")
    {
        public override void WriteJson(Utf8JsonWriter json, Prediction prediction)
        {
            foreach (var label in prediction.Labels) json.WriteStringValue(label);
        }

        public override byte[] ToBytes(Prediction prediction)
        {
            var bytes = new byte[prediction.Labels.Sum(label => sizeof(int) + Encoding.UTF8.GetByteCount(label))];
            var rest = bytes.AsSpan();
            foreach (var label in prediction.Labels)
            {
                var length = Encoding.UTF8.GetBytes(label, rest[sizeof(int)..]);
                BinaryPrimitives.WriteInt32LittleEndian(rest, length);
                rest = rest[(sizeof(int) + length)..];
            }

            return bytes;
        }
    }
}

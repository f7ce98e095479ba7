using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>A tensor that a model answers with: its name, type and shape, how large it can be, and how a prediction fills its rows.</summary>
/// <param name="OfMember">A member's elements of all rows, or the same ones of each; null if they are the average's.</param>
internal sealed record OutputTensor(OutputDescription Description, Func<MemberPrediction, ImmutableArray<float>>? OfMember = null)
{
    private static readonly ConditionalWeakTable<ServedModel, IReadOnlyList<OutputTensor>> s_ofModels = [];

    /// <summary>
    /// What a model's task predicts, the default first; how many members answered; and what each of these says alone, with its share of
    /// the average. In the order in which the model's metadata lists them.
    /// </summary>
    public static IReadOnlyList<OutputTensor> Of(ServedModel model) => s_ofModels.GetValue(model, All);

    private static IReadOnlyList<OutputTensor> All(ServedModel model) =>
    [
        .. model.Outputs.Select(output => new OutputTensor(output)),
        new(OutputDescription.MembersUsed),
        .. model.MemberOutputs.Select((output, place) => new OutputTensor(output with { Name = $"member_{output.Name}" }, member => member.Outputs[place].Numbers)),
        new(new OutputDescription("member_weight", "FP32", []), member => [(float)member.Weight]),
    ];

    /// <summary>Whether each row has the elements of each member.</summary>
    public bool IsPerMember => OfMember is not null;

    /// <summary>The one of a name, among those of a model.</summary>
    /// <exception cref="HttpError">There is none.</exception>
    public static OutputTensor Find(IReadOnlyList<OutputTensor> outputs, string? name) => outputs.FirstOrDefault(tensor => tensor.Name == name)
        ?? throw HttpError.BadRequest($"The model has no output {OneLine.Quoted(name)}: it has {string.Join(", ", outputs.Select(tensor => tensor.Name))}.");

    public static HttpError Twice(OutputTensor output) => HttpError.BadRequest($"The output \"{output.Name}\" is asked for twice: once is enough.");

    public string Name => Description.Name;

    public string Datatype => Description.Datatype;

    /// <summary>With −1 where a size is not fixed.</summary>
    public long[] Shape() => Shape(-1, -1);

    public long[] Shape(Prediction prediction) => Shape(prediction.Rows, prediction.MembersUsed.Length);

    /// <summary>Bytes that one row takes at most, before any prediction.</summary>
    public long MostBytes(ServedModel model, bool isBinary) => Shape(1, model.Members).Aggregate((product, size) => product * size) * Datatype switch
    {
        // A sign, nine digits, a point, an exponent of four and a comma.
        "FP32" => isBinary ? sizeof(float) : 16,
        // A sign, nineteen digits and a comma.
        "INT64" => isBinary ? sizeof(long) : 21,
        // A character is three bytes of UTF-8 at most, or six as an escape; quotation marks and a comma stand around it.
        "BYTES" => isBinary ? sizeof(int) + 3L * LongestText(model) : 3 + 6L * LongestText(model),
        var other => throw new InvalidOperationException($"The output {Name} has the datatype {other}."),
    };

    /// <summary>Bytes of all rows in binary.</summary>
    public long BinaryBytes(Prediction prediction) => Datatype == "BYTES"
        ? prediction[Name].Texts.Sum(text => (long)sizeof(int) + Encoding.UTF8.GetByteCount(text))
        : Shape(prediction).Aggregate(1L, (product, size) => product * size) * (Datatype == "INT64" ? sizeof(long) : sizeof(float));

    /// <summary>A row's elements in row-major order, as JSON.</summary>
    public void WriteJson(Utf8JsonWriter json, Prediction prediction, int row)
    {
        if (OfMember is not null) foreach (var member in prediction.Members) Write(OfMember(member).AsSpan());
        else if (Name == OutputDescription.MembersUsed.Name) json.WriteNumberValue(MembersUsed(prediction, row));
        else if (Datatype == "BYTES") json.WriteStringValue(prediction[Name].Texts[row]);
        else if (Datatype == "INT64") json.WriteNumberValue(prediction[Name].Integers[row]);
        else Write(prediction[Name].Numbers.AsSpan());

        void Write(ReadOnlySpan<float> numbers)
        {
            foreach (var number in Row(numbers, row)) json.WriteNumberValue(number);
        }
    }

    /// <summary>A row's elements in row-major order, little-endian; texts behind their length as 32 bits.</summary>
    public void WriteBytes(IBufferWriter<byte> bytes, Prediction prediction, int row)
    {
        if (OfMember is not null) foreach (var member in prediction.Members) bytes.Write(MemoryMarshal.AsBytes(Row(OfMember(member).AsSpan(), row)));
        else if (Name == OutputDescription.MembersUsed.Name) Write(bytes, MembersUsed(prediction, row));
        else if (Datatype == "BYTES") Write(bytes, prediction[Name].Texts[row]);
        else if (Datatype == "INT64") Write(bytes, prediction[Name].Integers[row]);
        else bytes.Write(MemoryMarshal.AsBytes(Row(prediction[Name].Numbers.AsSpan(), row)));
    }

    public bool Equals(OutputTensor? other) => other?.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    private static int MembersUsed(Prediction prediction, int row) => prediction.RowMembers.IsEmpty ? prediction.MembersUsed.Length : prediction.RowMembers[row];

    private long[] Shape(long rows, long members) =>
        [rows, .. IsPerMember ? [members] : Array.Empty<long>(), .. Description.Columns.IsEmpty ? Array.Empty<long>() : [Description.Width]];

    private ReadOnlySpan<float> Row(ReadOnlySpan<float> numbers, int row) => numbers.Length == Description.Width ? numbers : numbers.Slice(row * Description.Width, Description.Width);

    /// <summary>A text that a row is answered with is the name of one of the model's columns.</summary>
    private static int LongestText(ServedModel model) => model.Outputs.SelectMany(output => output.Columns).Select(name => name.Length).DefaultIfEmpty().Max();

    private static void Write(IBufferWriter<byte> bytes, long integer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes.GetSpan(sizeof(long)), integer);
        bytes.Advance(sizeof(long));
    }

    private static void Write(IBufferWriter<byte> bytes, string text)
    {
        var span = bytes.GetSpan(sizeof(int) + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, span[sizeof(int)..]);
        BinaryPrimitives.WriteInt32LittleEndian(span, length);
        bytes.Advance(sizeof(int) + length);
    }
}

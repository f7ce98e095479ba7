using System.Text;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>
/// What is known of a request for predictions before its message is read: which model it names, and what memory it takes, at most. Raw
/// elements and floats take as much as they come in; small numbers and texts many times that.
/// </summary>
internal static class RawMessage
{
    /// <summary>Of a text of one character, which comes in three bytes; of a number of eight bytes that comes in one.</summary>
    private const int OfByte = 32;

    /// <summary>Of a tensor, its contents or a parameter, however empty it is; and of a field of a number that nobody knows, which is kept.</summary>
    private const int OfObject = 512;

    /// <summary>Of a byte within groups, which nobody sends, and each of which is kept as a set of fields of its own.</summary>
    private const int OfGroupByte = 8 * OfByte;

    /// <summary>Fields of the message, of a tensor and of its contents.</summary>
    private const int Parameters = 4, Inputs = 5, Outputs = 6, Raw = 7, Contents = 5, Floats = 6, Doubles = 7, Texts = 8;

    private const int ModelName = 1, ModelVersion = 2;

    /// <summary>Bytes of a name or version, of which more than these are none of any run.</summary>
    private const int MostNamed = 256;

    /// <summary>Name and version; empty where it has none.</summary>
    /// <inheritdoc cref="Memory"/>
    public static (string Name, string Version) Model(ReadOnlySpan<byte> message)
    {
        var (name, version) = ("", "");
        Sum(message, (field, value) =>
        {
            if (field == ModelName) name = Text(value);
            else if (field == ModelVersion) version = Text(value);
            return 0;
        });
        return (name, version);

        static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value[..Math.Min(value.Length, MostNamed)]);
    }

    /// <param name="message">Without what comes before it in a stream of messages.</param>
    /// <returns>Bytes.</returns>
    public static long Memory(ReadOnlySpan<byte> message) => Sum(message, (field, value) => field switch
    {
        // Its place in a list that grows.
        Raw => OfByte + value.Length,
        Inputs => OfObject + Sum(value, (field, value) => field switch
        {
            Contents => OfObject + Sum(value, (field, value) => field switch
            {
                Floats or Doubles => value.Length,
                > Texts => OfObject + OfBytes(value),
                _ => OfBytes(value),
            }),
            >= Parameters => OfObject + OfBytes(value),
            _ => OfBytes(value),
        }),
        Outputs => OfObject + Sum(value, (field, value) => (field > ModelName ? OfObject : 0) + OfBytes(value)),
        Parameters or > Raw => OfObject + OfBytes(value),
        _ => OfBytes(value),
    });

    private static long OfBytes(ReadOnlySpan<byte> value) => (long)OfByte * value.Length;

    private delegate long Count(int field, ReadOnlySpan<byte> value);

    /// <summary>Of the fields; what is no message counts as if it were many, and is refused when it is read.</summary>
    private static long Sum(ReadOnlySpan<byte> message, Count count)
    {
        const int Varint = 0, Eight = 1, Delimited = 2, Four = 5;
        var sum = 0L;
        while (!message.IsEmpty)
        {
            var before = message;
            if (!TryReadVarint(ref message, out var tag)) return sum + OfBytes(before);
            uint length;
            switch (tag & 7)
            {
                case Varint when TryReadVarint(ref message, out _): length = 0; break;
                case Eight: length = 8; break;
                case Four: length = 4; break;
                case Delimited when TryReadVarint(ref message, out length): break;
                default: return sum + (long)OfGroupByte * before.Length;
            }

            if (length > (uint)message.Length) return sum + OfBytes(before);
            if ((tag & 7) != Delimited && (tag >> 3) > Texts) sum += OfObject;
            sum += OfBytes(before[..^message.Length]) + ((tag & 7) == Delimited ? count((int)(tag >> 3), message[..(int)length]) : OfBytes(message[..(int)length]));
            message = message[(int)length..];
        }

        return sum;
    }

    /// <summary>Takes the lower half of what is longer than it may be, as whoever reads the message does: both see the same fields.</summary>
    private static bool TryReadVarint(ref ReadOnlySpan<byte> message, out uint value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !message.IsEmpty; shift += 7)
        {
            var part = message[0];
            message = message[1..];
            if (shift < 32) value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80) return true;
        }

        return false;
    }
}

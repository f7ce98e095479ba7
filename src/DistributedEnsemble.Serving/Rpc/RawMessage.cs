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

    /// <summary>Fields of the message, of an input and of its contents that lead to elements of a fixed size.</summary>
    private const int Inputs = 5, Raw = 7, Contents = 5, Floats = 6, Doubles = 7;

    private const int ModelName = 1, ModelVersion = 2;

    /// <summary>Name and version; empty where it has none.</summary>
    /// <inheritdoc cref="Memory"/>
    public static (string Name, string Version) Model(ReadOnlySpan<byte> message)
    {
        var (name, version) = ("", "");
        Sum(message, (field, value) =>
        {
            if (field == ModelName) name = Encoding.UTF8.GetString(value);
            else if (field == ModelVersion) version = Encoding.UTF8.GetString(value);
            return 0;
        });
        return (name, version);
    }

    /// <param name="message">Without what comes before it in a stream of messages.</param>
    /// <returns>Bytes.</returns>
    public static long Memory(ReadOnlySpan<byte> message) => Sum(message, (field, value) => field switch
    {
        Raw => value.Length,
        Inputs => Sum(value, (field, value) => field switch
        {
            Contents => Sum(value, (field, value) => field is Floats or Doubles ? value.Length : OfBytes(value)),
            _ => OfBytes(value),
        }),
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
            ulong length;
            switch ((int)(tag & 7))
            {
                case Varint when TryReadVarint(ref message, out _): length = 0; break;
                case Eight: length = 8; break;
                case Four: length = 4; break;
                case Delimited when TryReadVarint(ref message, out length): break;
                default: return sum + OfBytes(before);
            }

            if (length > (ulong)message.Length) return sum + OfBytes(before);
            sum += OfBytes(before[..^message.Length]) + ((tag & 7) == Delimited ? count((int)(tag >> 3), message[..(int)length]) : OfBytes(message[..(int)length]));
            message = message[(int)length..];
        }

        return sum;
    }

    private static bool TryReadVarint(ref ReadOnlySpan<byte> message, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !message.IsEmpty; shift += 7)
        {
            var part = message[0];
            message = message[1..];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return true;
        }

        return false;
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace DistributedEnsemble.Runs;

/// <summary>
/// A file of weights in a message: its numbers, its path, and what its hash stands for. A status may have a hundred thousand, each
/// with texts of its own: to look for every one among those before it, as messages do, would take longer than all else.
/// </summary>
[RegisterSerializer, RegisterCopier]
internal sealed class WeightFileCodec : IFieldCodec<WeightFile>, IDeepCopier<WeightFile>
{
    /// <summary>Member, step, and the length of the path.</summary>
    private const int Head = 3 * sizeof(int);

    private const int HashBytes = 32, OnStack = 512;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    public WeightFile? DeepCopy(WeightFile? input, CopyContext context) => input;

    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, WeightFile? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(WeightFile), WireType.LengthPrefixed);
        var most = Head + Encoding.UTF8.GetMaxByteCount(value.File.Length) + 1 + Encoding.UTF8.GetMaxByteCount(value.Sha256.Length);
        var bytes = most <= OnStack ? stackalloc byte[OnStack] : new byte[most];
        var length = Encoding.UTF8.GetBytes(value.File, bytes[Head..]);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value.Member);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[sizeof(int)..], value.Step);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[(2 * sizeof(int))..], length);
        length += Head;
        length += 1 + WriteHash(value.Sha256, bytes[length..]);
        writer.WriteVarUInt32((uint)length);
        writer.Write(bytes[..length]);
    }

    public WeightFile ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference) return ReferenceCodec.ReadReference<WeightFile, TInput>(ref reader, field)!;
        field.EnsureWireType(WireType.LengthPrefixed);
        ReferenceCodec.MarkValueField(reader.Session);
        var length = reader.ReadVarUInt32();
        if (!reader.TryReadBytes((int)length, out var bytes)) bytes = reader.ReadBytes(length);
        var path = BinaryPrimitives.ReadInt32LittleEndian(bytes[(2 * sizeof(int))..]);
        return new WeightFile(
            BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[sizeof(int)..]),
            Encoding.UTF8.GetString(bytes.Slice(Head, path)), ReadHash(bytes[(Head + path)..]));
    }

    /// <summary>The bytes that the hexadecimal text stands for, or the text if it is none.</summary>
    private static int WriteHash(string hash, Span<byte> into)
    {
        var isHash = hash.Length == 2 * HashBytes && !hash.AsSpan().ContainsAnyExcept(s_digits);
        into[0] = isHash ? (byte)1 : (byte)0;
        if (!isHash) return Encoding.UTF8.GetBytes(hash, into[1..]);
        Convert.FromHexString(hash, into[1..], out _, out var length);
        return length;
    }

    private static string ReadHash(ReadOnlySpan<byte> from) => from[0] == 1 ? Convert.ToHexStringLower(from[1..]) : Encoding.UTF8.GetString(from[1..]);
}

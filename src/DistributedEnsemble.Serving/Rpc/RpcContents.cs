using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>Typed contents as the raw ones of the same tensor: from there on the two are one.</summary>
internal static class RpcContents
{
    /// <param name="what">What errors call the input.</param>
    /// <param name="hold">Is told of memory before it is taken.</param>
    /// <exception cref="HttpError">The contents are not in the field of the datatype, or an element is none of it.</exception>
    public static byte[] Bytes(InferTensorContents? contents, string datatype, string what, Action<long> hold)
    {
        contents ??= new InferTensorContents();
        return datatype switch
        {
            "FP32" => Numbers<float, float>(contents.Fp32Contents, datatype, "fp32_contents", what, hold),
            "FP64" => Numbers<double, double>(contents.Fp64Contents, datatype, "fp64_contents", what, hold),
            "INT64" => Numbers<long, long>(contents.Int64Contents, datatype, "int64_contents", what, hold),
            "INT32" => Numbers<int, int>(contents.IntContents, datatype, "int_contents", what, hold),
            "INT16" => Numbers<int, short>(contents.IntContents, datatype, "int_contents", what, hold),
            "INT8" => Numbers<int, sbyte>(contents.IntContents, datatype, "int_contents", what, hold),
            "UINT64" => Numbers<ulong, ulong>(contents.Uint64Contents, datatype, "uint64_contents", what, hold),
            "UINT32" => Numbers<uint, uint>(contents.UintContents, datatype, "uint_contents", what, hold),
            "UINT16" => Numbers<uint, ushort>(contents.UintContents, datatype, "uint_contents", what, hold),
            "UINT8" => Numbers<uint, byte>(contents.UintContents, datatype, "uint_contents", what, hold),
            "BOOL" => Truths(contents.BoolContents, what, hold),
            "BYTES" => Texts(contents.BytesContents, what, hold),
            "FP16" => throw HttpError.BadRequest($"{what} is FP16, which has no typed contents: send it in raw_input_contents."),
            // Whoever reads the bytes knows which datatypes there are.
            _ => [],
        };
    }

    private static byte[] Numbers<TSent, TNumber>(RepeatedField<TSent> sent, string datatype, string field, string what, Action<long> hold)
        where TSent : struct, INumberBase<TSent> where TNumber : unmanaged, INumberBase<TNumber>
    {
        if (sent.Count == 0) throw HttpError.BadRequest($"{what} has no {field}, where {datatype} has its elements, and no raw_input_contents.");
        hold(sent.Count * (long)Unsafe.SizeOf<TNumber>());
        var bytes = GC.AllocateUninitializedArray<byte>(sent.Count * Unsafe.SizeOf<TNumber>());
        var numbers = MemoryMarshal.Cast<byte, TNumber>(bytes.AsSpan());
        try
        {
            var place = 0;
            foreach (var number in sent) numbers[place++] = TNumber.CreateChecked(number);
        }
        catch (OverflowException)
        {
            throw HttpError.BadRequest($"{what} has {field} outside of {datatype}.");
        }

        return bytes;
    }

    private static byte[] Truths(RepeatedField<bool> sent, string what, Action<long> hold)
    {
        if (sent.Count == 0) throw HttpError.BadRequest($"{what} has no bool_contents, where BOOL has its elements, and no raw_input_contents.");
        hold(sent.Count);
        return [.. sent.Select(element => element ? (byte)1 : (byte)0)];
    }

    private static byte[] Texts(RepeatedField<ByteString> texts, string what, Action<long> hold)
    {
        if (texts.Count == 0) throw HttpError.BadRequest($"{what} has no bytes_contents, where BYTES has its elements, and no raw_input_contents.");
        var length = texts.Sum(text => (long)sizeof(int) + text.Length);
        hold(length);
        var bytes = new byte[length];
        var rest = bytes.AsSpan();
        foreach (var text in texts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, text.Length);
            text.Span.CopyTo(rest[sizeof(int)..]);
            rest = rest[(sizeof(int) + text.Length)..];
        }

        return bytes;
    }
}

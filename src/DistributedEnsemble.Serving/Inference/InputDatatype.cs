using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>A type of numbers that clients send; each becomes the nearest float32, and one that none is near is refused later.</summary>
internal abstract class InputDatatype(string name, int size, bool isWhole)
{
    private static readonly InputDatatype[] s_all =
    [
        new Of<float>("FP32", false), new Of<double>("FP64", false), new Of<Half>("FP16", false),
        new Of<long>("INT64", true), new Of<int>("INT32", true), new Of<short>("INT16", true), new Of<sbyte>("INT8", true),
        new Of<ulong>("UINT64", true), new Of<uint>("UINT32", true), new Of<ushort>("UINT16", true), new Of<byte>("UINT8", true),
    ];

    public string Name => name;

    /// <summary>Bytes of one number.</summary>
    public int Size => size;

    /// <summary>Whether its numbers have no fraction.</summary>
    public bool IsWhole => isWhole;

    /// <summary>Whether there is a type of numbers of that name.</summary>
    public static bool IsKnown(string name) => Array.Exists(s_all, type => type.Name == name);

    /// <exception cref="HttpError">There is no such type of numbers.</exception>
    public static InputDatatype Parse(string? name) => Array.Find(s_all, type => type.Name == name) ?? throw HttpError.BadRequest(
        $"The input has the datatype {OneLine.Quoted(name)}: this model takes {s_all[0].Name}, and converts {string.Join(", ", s_all.Skip(1).Select(type => type.Name))}.");

    /// <param name="bytes">Little-endian numbers, as many as <paramref name="numbers"/> has.</param>
    public abstract void Convert(ReadOnlySpan<byte> bytes, Span<float> numbers);

    private sealed class Of<T>(string name, bool isWhole) : InputDatatype(name, Unsafe.SizeOf<T>(), isWhole) where T : unmanaged, INumberBase<T>
    {
        public override void Convert(ReadOnlySpan<byte> bytes, Span<float> numbers) =>
            TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, T>(bytes), numbers);
    }
}

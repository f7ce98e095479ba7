using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistributedEnsemble.Randomness;

/// <summary>
/// Philox4x32-10: a bijection of 128-bit counters under a 64-bit key that passes as random (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011). It has no state: who knows key and counter knows the numbers.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four words of one block.</summary>
    public static (uint, uint, uint, uint) Block(ulong key, uint c0, uint c1, uint c2, uint c3)
    {
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>Fills <paramref name="words"/> with blocks from <paramref name="block"/> on: from 0, word e is word e mod 4 of block ⌊e/4⌋.</summary>
    public static void Fill(ulong key, uint c1, uint c2, uint c3, Span<uint> words, uint block = 0)
    {
        if (Avx512F.IsSupported)
        {
            for (; words.Length >= 32; words = words[32..], block += 8)
            {
                EightBlocks(key, block, c1, c2, c3, ref MemoryMarshal.GetReference(words));
            }
        }

        if (Avx2.IsSupported)
        {
            for (; words.Length >= 16; words = words[16..], block += 4)
            {
                FourBlocks(key, block, c1, c2, c3, ref MemoryMarshal.GetReference(words));
            }
        }

        Span<uint> last = stackalloc uint[4];
        for (; !words.IsEmpty; words = words[Math.Min(4, words.Length)..], block++)
        {
            (last[0], last[1], last[2], last[3]) = Block(key, block, c1, c2, c3);
            last[..Math.Min(4, words.Length)].CopyTo(words);
        }
    }

    /// <inheritdoc cref="FourBlocks"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EightBlocks(ulong key, uint block, uint c1, uint c2, uint c3, ref uint words)
    {
        var x0 = Vector512.Create((ulong)block) + Vector512.Create(0ul, 1, 2, 3, 4, 5, 6, 7);
        var (x1, x2, x3) = (Vector512.Create((ulong)c1), Vector512.Create((ulong)c2), Vector512.Create((ulong)c3));
        var multiplier0 = Vector512.Create((ulong)Multiplier0).AsUInt32();
        var multiplier1 = Vector512.Create((ulong)Multiplier1).AsUInt32();
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = Avx512F.Multiply(x0.AsUInt32(), multiplier0);
            var product1 = Avx512F.Multiply(x2.AsUInt32(), multiplier1);
            (x0, x1) = ((product1 >>> 32) ^ x1 ^ Vector512.Create((ulong)k0), product1);
            (x2, x3) = ((product0 >>> 32) ^ x3 ^ Vector512.Create((ulong)k1), product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        var low = Vector512.Create(0xFFFFFFFFul);
        var front = (x0 & low) | (x1 << 32);
        var back = (x2 & low) | (x3 << 32);
        Avx512F.PermuteVar8x64x2(front, Vector512.Create(0ul, 8, 1, 9, 2, 10, 3, 11), back).AsUInt32().StoreUnsafe(ref words);
        Avx512F.PermuteVar8x64x2(front, Vector512.Create(4ul, 12, 5, 13, 6, 14, 7, 15), back).AsUInt32().StoreUnsafe(ref words, 16);
    }

    /// <summary>
    /// Several blocks at once, each word of the state in the low half of a 64-bit element: that is what the multiplication reads,
    /// so the high halves may hold anything.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourBlocks(ulong key, uint block, uint c1, uint c2, uint c3, ref uint words)
    {
        var x0 = Vector256.Create(block, block + 1, block + 2, (ulong)block + 3);
        var (x1, x2, x3) = (Vector256.Create((ulong)c1), Vector256.Create((ulong)c2), Vector256.Create((ulong)c3));
        var multiplier0 = Vector256.Create((ulong)Multiplier0).AsUInt32();
        var multiplier1 = Vector256.Create((ulong)Multiplier1).AsUInt32();
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = Avx2.Multiply(x0.AsUInt32(), multiplier0);
            var product1 = Avx2.Multiply(x2.AsUInt32(), multiplier1);
            (x0, x1) = ((product1 >>> 32) ^ x1 ^ Vector256.Create((ulong)k0), product1);
            (x2, x3) = ((product0 >>> 32) ^ x3 ^ Vector256.Create((ulong)k1), product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        var low = Vector256.Create(0xFFFFFFFFul);
        var front = (x0 & low) | (x1 << 32);            // words 0 and 1 of each block
        var back = (x2 & low) | (x3 << 32);             // words 2 and 3
        var even = Avx2.UnpackLow(front, back);         // blocks 0 and 2
        var odd = Avx2.UnpackHigh(front, back);         // blocks 1 and 3
        Avx2.Permute2x128(even, odd, 0x20).AsUInt32().StoreUnsafe(ref words);
        Avx2.Permute2x128(even, odd, 0x31).AsUInt32().StoreUnsafe(ref words, 8);
    }
}

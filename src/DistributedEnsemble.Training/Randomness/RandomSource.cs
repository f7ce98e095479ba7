using System.Numerics;
using System.Runtime.InteropServices;
using DistributedEnsemble.Randomness;

namespace DistributedEnsemble.Training.Randomness;

/// <summary>Where a sequence of random numbers starts: words 1 to 3 of the Philox counter; word 0 counts blocks.</summary>
/// <param name="Step">The step, epoch or sample.</param>
/// <param name="Layer">The layer, counted by whoever draws.</param>
public readonly record struct Draw(Purpose Purpose, int Member, uint Step, uint Layer)
{
    internal uint MemberAndPurpose => ((uint)Member << 8) | (uint)Purpose;
}

/// <summary>All randomness of a run: a function of the seed and of what it is for. Nothing random needs to be stored.</summary>
public sealed class RandomSource(ulong seed)
{
    /// <summary>Draws that lie on the stack together: whole blocks, of two each.</summary>
    private const int DrawsAtOnce = 1 << 9, DrawsPerBlock = 2;

    private const float ScaleOf24Bits = 1f / (1 << 24);

    /// <summary>Is told of every draw and its number of words; a test uses it to see that no counter serves twice.</summary>
    internal Action<Draw, int>? Observer { get; init; }

    /// <summary>Uniform 32-bit words.</summary>
    public void Words(Draw draw, Span<uint> words)
    {
        Observer?.Invoke(draw, words.Length);
        Philox.Fill(seed, draw.Step, draw.Layer, draw.MemberAndPurpose, words);
    }

    /// <summary>Uniform multiples of 2⁻²⁴ in [0, 1).</summary>
    public void Uniform(Draw draw, Span<float> values)
    {
        var words = MemoryMarshal.Cast<float, uint>(values);
        Words(draw, words);
        for (var i = 0; i < values.Length; i++) values[i] = (words[i] >> 8) * ScaleOf24Bits;
    }

    /// <summary>Each element is 0 with probability <paramref name="rate"/> and <paramref name="kept"/> otherwise.</summary>
    public void KeepMask(Draw draw, double rate, float kept, Span<float> mask)
    {
        var words = MemoryMarshal.Cast<float, uint>(mask);
        Words(draw, words);
        var firstKept = (uint)(rate * 4294967296.0);
        var bits = BitConverter.SingleToUInt32Bits(kept);
        var (thresholds, values) = (new Vector<uint>(firstKept), new Vector<uint>(bits));
        var vectors = MemoryMarshal.Cast<uint, Vector<uint>>(words);
        for (var i = 0; i < vectors.Length; i++) vectors[i] = Vector.GreaterThanOrEqual(vectors[i], thresholds) & values;
        for (var i = vectors.Length * Vector<uint>.Count; i < words.Length; i++) words[i] = words[i] >= firstKept ? bits : 0;
    }

    /// <summary>Uniform whole numbers from 0 and below <paramref name="bound"/>, with 64 bits a draw.</summary>
    internal void Below(Draw draw, int bound, Span<int> numbers)
    {
        Observer?.Invoke(draw, 2 * numbers.Length);
        Span<ulong> draws = stackalloc ulong[DrawsAtOnce];
        for (var first = 0; first < numbers.Length; first += DrawsAtOnce)
        {
            var count = Math.Min(DrawsAtOnce, numbers.Length - first);
            Philox.Fill(seed, draw.Step, draw.Layer, draw.MemberAndPurpose, MemoryMarshal.Cast<ulong, uint>(draws[..count]), (uint)first / DrawsPerBlock);
            for (var i = 0; i < count; i++) numbers[first + i] = (int)Math.BigMul(draws[i], (ulong)bound, out _);
        }
    }

    /// <summary>Shuffles in place; every order is equally likely (Fisher and Yates, with 64 bits a draw).</summary>
    public void Shuffle(Draw draw, Span<int> items)
    {
        Observer?.Invoke(draw, 2 * items.Length);
        Span<ulong> draws = stackalloc ulong[DrawsAtOnce];
        for (var first = (items.Length - 1) / DrawsAtOnce * DrawsAtOnce; first >= 0; first -= DrawsAtOnce)
        {
            var count = Math.Min(DrawsAtOnce, items.Length - first);
            Philox.Fill(seed, draw.Step, draw.Layer, draw.MemberAndPurpose, MemoryMarshal.Cast<ulong, uint>(draws[..count]), (uint)first / DrawsPerBlock);
            for (var i = first + count - 1; i >= Math.Max(first, 1); i--)
            {
                var j = (int)Math.BigMul(draws[i - first], (ulong)i + 1, out _);
                (items[i], items[j]) = (items[j], items[i]);
            }
        }
    }
}

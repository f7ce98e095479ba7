using System.Buffers;

namespace DistributedEnsemble.Serving.Answers;

/// <summary>Bytes of an answer that is being made, whose memory is counted before it is taken.</summary>
/// <param name="lease">Holds them.</param>
internal sealed class CountedBytes(ByteBudget.Lease lease) : IBufferWriter<byte>, IDisposable
{
    /// <summary>What is shorter, as most answers are, is not counted: it is to be had also where memory is not.</summary>
    private const int LongestUncounted = 1 << 16;

    private const int First = 1 << 10;

    private byte[] _bytes = [];
    private int _capacity, _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Advance(int count) => _length += count;

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <exception cref="HttpError">There is no memory for so many.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = (long)_length + Math.Max(1, sizeHint);
        if (needed > _capacity) Grow(needed);
        return _bytes.AsMemory(_length, _capacity - _length);
    }

    public void Dispose()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _capacity, _length) = ([], 0, 0);
    }

    private void Grow(long needed)
    {
        // By a quarter: what is counted and not needed, others lack.
        var capacity = Math.Max(needed, Math.Max(First, _capacity + (_capacity / 4L)));
        if (capacity > Array.MaxLength) throw HttpError.TooLarge($"The answer has more than {Array.MaxLength} bytes: ask for less.");
        // While they are copied they are there twice.
        if (capacity > LongestUncounted) lease.Hold(_length + capacity);
        var larger = ArrayPool<byte>.Shared.Rent((int)capacity);
        _bytes.AsSpan(0, _length).CopyTo(larger);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _capacity) = (larger, (int)capacity);
        if (capacity > LongestUncounted) lease.Hold(capacity);
    }
}

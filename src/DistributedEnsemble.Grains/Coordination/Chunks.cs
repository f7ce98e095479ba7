using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// An immutable list of fixed length in pieces: a change of one item copies its piece and the list of pieces, and two lists
/// that come from one another are compared by the pieces that they do not share.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is a list of chunks.")]
internal sealed class Chunks<T> : IReadOnlyList<T>
{
    private const int Size = 64;

    private readonly ImmutableArray<T[]> _chunks;

    private Chunks(ImmutableArray<T[]> chunks, int count) => (_chunks, Count) = (chunks, count);

    public static Chunks<T> Empty { get; } = new([], 0);

    public int Count { get; }

    public T this[int index] => _chunks[index / Size][index % Size];

    public static Chunks<T> Of(IEnumerable<T> items)
    {
        ImmutableArray<T[]> chunks = [.. items.Chunk(Size)];
        return chunks.IsEmpty ? Empty : new Chunks<T>(chunks, ((chunks.Length - 1) * Size) + chunks[^1].Length);
    }

    public Chunks<T> With(int index, T item)
    {
        var chunk = (T[])_chunks[index / Size].Clone();
        chunk[index % Size] = item;
        return new Chunks<T>(_chunks.SetItem(index / Size, chunk), Count);
    }

    /// <summary>The places at which this list may differ from one of the same length.</summary>
    public IEnumerable<int> MayDifferFrom(Chunks<T> other)
    {
        for (var i = 0; i < _chunks.Length; i++)
        {
            if (ReferenceEquals(_chunks[i], other._chunks[i])) continue;
            for (var j = 0; j < _chunks[i].Length; j++) yield return (i * Size) + j;
        }
    }

    public IEnumerator<T> GetEnumerator()
    {
        foreach (var chunk in _chunks)
        {
            foreach (var item in chunk) yield return item;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// An immutable list of fixed length in pieces of pieces: a change of one item copies its piece, the piece of pieces that has it,
/// and the list of those, and two lists that come from one another are compared by the pieces that they do not share.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is a list of chunks.")]
internal sealed class Chunks<T> : IReadOnlyList<T>
{
    /// <summary>Items of a chunk, and chunks of a group.</summary>
    private const int Size = 32, GroupSize = Size * Size;

    private readonly ImmutableArray<T[][]> _groups;

    private Chunks(ImmutableArray<T[][]> groups, int count) => (_groups, Count) = (groups, count);

    public static Chunks<T> Empty { get; } = new([], 0);

    public int Count { get; }

    public T this[int index] => _groups[index / GroupSize][index % GroupSize / Size][index % Size];

    public static Chunks<T> Of(IEnumerable<T> items)
    {
        ImmutableArray<T[][]> groups = [.. items.Chunk(Size).Chunk(Size)];
        return groups.IsEmpty ? Empty : new Chunks<T>(groups, groups.Sum(group => group.Sum(chunk => chunk.Length)));
    }

    public Chunks<T> With(int index, T item)
    {
        var (groupIndex, chunkIndex) = (index / GroupSize, index % GroupSize / Size);
        var group = (T[][])_groups[groupIndex].Clone();
        var chunk = (T[])group[chunkIndex].Clone();
        (group[chunkIndex], chunk[index % Size]) = (chunk, item);
        return new Chunks<T>(_groups.SetItem(groupIndex, group), Count);
    }

    /// <summary>The places at which this list may differ from one of the same length.</summary>
    public IEnumerable<int> MayDifferFrom(Chunks<T> other)
    {
        for (var i = 0; i < _groups.Length; i++)
        {
            var (group, before) = (_groups[i], other._groups[i]);
            if (ReferenceEquals(group, before)) continue;
            for (var j = 0; j < group.Length; j++)
            {
                if (ReferenceEquals(group[j], before[j])) continue;
                for (var k = 0; k < group[j].Length; k++) yield return (i * GroupSize) + (j * Size) + k;
            }
        }
    }

    public IEnumerator<T> GetEnumerator()
    {
        foreach (var group in _groups)
        {
            foreach (var chunk in group)
            {
                foreach (var item in chunk) yield return item;
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

using System.Collections;
using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Specs;

/// <summary>An immutable list that is equal to another of the same elements, so that specs compare by value.</summary>
[CollectionBuilder(typeof(SpecList), nameof(SpecList.Create))]
public sealed class SpecList<T>(IEnumerable<T> items) : IReadOnlyList<T>, IEquatable<SpecList<T>>
{
    private readonly T[] _items = [.. items];

    public T this[int index] => _items[index];
    public int Count => _items.Length;

    public bool Equals(SpecList<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);
    public override bool Equals(object? obj) => Equals(obj as SpecList<T>);
    public override int GetHashCode() => _items.Aggregate(_items.Length, HashCode.Combine);
    public override string ToString() => $"[{string.Join(", ", _items)}]";

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();
}

/// <summary>Lets collection expressions make lists of a spec.</summary>
public static class SpecList
{
    public static SpecList<T> Create<T>(ReadOnlySpan<T> items) => new(items.ToArray());
}

using System.Diagnostics.CodeAnalysis;

namespace DistributedEnsemble.Grains.Plans;

/// <summary>Remembers a few values; the least recently used one goes when there are too many.</summary>
internal sealed class RecentlyUsed<TKey, TValue>(int most)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _byUse = [];

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            value = default;
            if (!_nodes.TryGetValue(key, out var node)) return false;
            _byUse.Remove(node);
            _byUse.AddLast(node);
            value = node.Value.Value;
            return true;
        }
    }

    /// <returns>The value that is remembered: another one may have been faster.</returns>
    public TValue Add(TKey key, TValue value)
    {
        lock (_lock)
        {
            if (_nodes.TryGetValue(key, out var known)) return known.Value.Value;
            _nodes[key] = _byUse.AddLast((key, value));
            if (_byUse.Count <= most) return value;
            _nodes.Remove(_byUse.First!.Value.Key);
            _byUse.RemoveFirst();
            return value;
        }
    }
}

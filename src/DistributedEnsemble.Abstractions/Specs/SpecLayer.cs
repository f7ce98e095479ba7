using System.Collections.Immutable;

namespace DistributedEnsemble.Specs;

/// <summary>Checked values by path: what one source of a spec says. Of a section that may be null it says whether it is on.</summary>
internal sealed class SpecLayer
{
    public static readonly SpecLayer Empty = new(ImmutableDictionary<string, object?>.Empty);

    private readonly ImmutableDictionary<string, object?> _values;

    private SpecLayer(ImmutableDictionary<string, object?> values) => _values = values;

    /// <summary>What it speaks of: keys, and sections that it switches on or off.</summary>
    public IEnumerable<string> Paths => _values.Keys;

    /// <summary>The value, or null if there is none.</summary>
    public object? this[string path] => _values.GetValueOrDefault(path);

    /// <summary>Whether the path is spelled out, be it as null.</summary>
    public bool Names(string path) => _values.ContainsKey(path);

    /// <summary>Whether there is a value, for a section: whether it is on.</summary>
    public bool Has(string path) => this[path] is not (null or false);

    public SpecLayer With(SpecKey key, object? value) => new(SwitchedOn(key.Section).SetItem(key.Path, value));

    public SpecLayer With(SpecSection section, bool on) => on
        ? new(SwitchedOn(section))
        : new(Without(section.Path).SwitchedOn(section.Section).SetItem(section.Path, false));

    /// <summary>Without the key, or the section and all below it.</summary>
    public SpecLayer Without(string path) =>
        new(_values.RemoveRange(_values.Keys.Where(key => key == path || key.StartsWith($"{path}.", StringComparison.Ordinal))));

    /// <summary>What this layer says, and where it is silent, what the lower one says.</summary>
    public SpecLayer Over(SpecLayer lower)
    {
        var remaining = _values.Where(entry => entry.Value is false).Aggregate(lower, (layer, off) => layer.Without(off.Key));
        return new(remaining._values.SetItems(_values));
    }

    // Setting a key inside a section that is off switches it on.
    private ImmutableDictionary<string, object?> SwitchedOn(SpecSection? section) =>
        section is null ? _values
        : section.IsNullable ? SwitchedOn(section.Section).SetItem(section.Path, true)
        : SwitchedOn(section.Section);
}

using System.Reflection;

namespace DistributedEnsemble.Specs;

/// <summary>A key or a section of the spec.</summary>
public abstract class SpecEntry
{
    private static readonly NullabilityInfoContext s_nullability = new();

    private protected SpecEntry(SpecSection section, PropertyInfo property, KeyAttribute attribute)
    {
        Section = section;
        Property = property;
        Name = SpecNames.OfKey(property);
        Path = section.PathOf(Name);
        Description = attribute.Description;
        IsOfRun = attribute.IsOfRun || section.IsOfRun;
        IsNullable = s_nullability.Create(property).ReadState is NullabilityState.Nullable;
    }

    /// <summary>The root has neither name nor section.</summary>
    private protected SpecEntry() => (Name, Path, Description) = ("", "", "All keys.");

    public string Name { get; }

    /// <summary>The names from the root on, joined by dots: what --set takes.</summary>
    public string Path { get; }

    /// <summary>One sentence.</summary>
    public string Description { get; }

    /// <summary>Whether null is a value: a section that is off, or a key that was not given.</summary>
    public bool IsNullable { get; }

    /// <summary>Whether all members of a run share it.</summary>
    public bool IsOfRun { get; }

    internal SpecSection? Section { get; }

    internal PropertyInfo? Property { get; }

    internal object? ValueIn(object section) => Property!.GetValue(section);
}

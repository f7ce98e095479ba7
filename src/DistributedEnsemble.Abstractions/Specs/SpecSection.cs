using System.Reflection;

namespace DistributedEnsemble.Specs;

/// <summary>A section of the spec: a record of keys and sections.</summary>
public sealed class SpecSection : SpecEntry
{
    internal SpecSection() => (Type, Entries) = (typeof(EnsembleSpec), EntriesOf(typeof(EnsembleSpec)));

    private SpecSection(SpecSection section, PropertyInfo property, KeyAttribute attribute) : base(section, property, attribute) =>
        (Type, Entries) = (property.PropertyType, EntriesOf(property.PropertyType));

    /// <summary>Keys and sections in the order in which they are written.</summary>
    public IReadOnlyList<SpecEntry> Entries { get; }

    internal Type Type { get; }

    /// <summary>The key that says which of the others a section has.</summary>
    internal SpecKey? Kind => Find("kind") as SpecKey;

    internal SpecEntry? Find(string name) => Entries.FirstOrDefault(entry => entry.Name == name);

    internal string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    /// <summary>A section with every key at its default.</summary>
    internal object New() => Activator.CreateInstance(Type)!;

    private List<SpecEntry> EntriesOf(Type type) =>
    [
        .. from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           let attribute = property.GetCustomAttribute<KeyAttribute>()
           where attribute is not null
           orderby property.MetadataToken
           select IsSection(property.PropertyType)
               ? new SpecSection(this, property, attribute)
               : (SpecEntry)new SpecKey(this, property, attribute),
    ];

    private static bool IsSection(Type type) =>
        type.GetProperties().Any(property => property.IsDefined(typeof(KeyAttribute), inherit: false));
}

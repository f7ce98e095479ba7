using System.Reflection;
using System.Text.RegularExpressions;

namespace DistributedEnsemble.Specs;

/// <summary>A key of the spec: a value, not a section.</summary>
public sealed class SpecKey : SpecEntry
{
    private readonly KeyAttribute _attribute;

    internal SpecKey(SpecSection section, PropertyInfo property, KeyAttribute attribute) : base(section, property, attribute)
    {
        _attribute = attribute;
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Choices = Type.IsEnum ? SpecNames.Choices(Type) : [];
        Interval = attribute.Range is null ? null : SpecRange.Parse(attribute.Range);
        Items = attribute.Items is null ? null : SpecRange.Parse(attribute.Items);
        Pattern = attribute.Pattern is null ? null : new Regex(attribute.Pattern, RegexOptions.CultureInvariant);
    }

    /// <summary>The kinds of its section that have this key; empty is all of them.</summary>
    public IReadOnlyList<string> Kinds => _attribute.Kinds;

    /// <summary>Whether only kinds that a host registered have this key.</summary>
    public bool IsRegistered => _attribute.IsRegistered;

    /// <summary>The names that it takes; empty unless it is a choice.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>The interval of its numbers, as in "(0, 1]"; null unless it has some.</summary>
    public string? Range => _attribute.Range;

    /// <summary>What it takes, as in "whole number".</summary>
    public string TypeName =>
        Type == typeof(string) ? "text"
        : Type == typeof(double) ? "number"
        : Type == typeof(bool) ? "true | false"
        : IsTextList ? "list of texts"
        : IsSettings || IsSearch ? "object"
        : IsVariants ? "list of partial specs"
        : IsList ? "list of whole numbers"
        : Type.IsEnum ? string.Join(" | ", Choices)
        : "whole number";

    /// <summary>What it is if neither the spec nor the dataset gives it.</summary>
    public string Default => IsBelowOff(Section!) ? $"off; {Constant} once on" : Constant;

    private string Constant => _attribute.Absent ?? SpecDefaults.InWords(this);

    internal Type Type { get; }
    internal SpecRange? Interval { get; }
    internal SpecRange? Items { get; }
    internal Regex? Pattern { get; }
    internal bool IsText => Type == typeof(string);
    internal bool IsList => Type == typeof(SpecList<int>);
    internal bool IsTextList => Type == typeof(SpecList<string>);
    internal bool IsVariants => Type == typeof(SpecList<SpecVariant>);
    internal bool IsSearch => Type == typeof(SpecSearch);
    internal bool IsNumber => Type == typeof(int) || Type == typeof(double);
    internal bool IsSettings => Type == typeof(SpecSettings);

    /// <summary>What an error says after the value.</summary>
    internal string Rule => _attribute.Rule ?? (
        Type.IsEnum ? $"it must be {SpecNames.List(Choices, "or")}"
        : Type == typeof(bool) ? "it must be true or false"
        : IsSettings ? $"it must be an object in braces of at most {SpecSettings.Longest} characters that names each key once, as in {{\"units\": 64}}"
        : IsSearch ? SpecSearch.Rule
        : IsVariants ? $"it must be a list of {Items!.Min} to {Items.Max} partial specs, as in [{{\"model\": {{\"hidden\": [64]}}}}]"
        : IsTextList ? $"it must be a list of {Items!.Min} to {Items.Max} texts, as in [\"a\", \"b\"]"
        : IsList ? $"it must be a list of {Items!.Min} to {Items.Max} whole numbers, each {Interval!.InWords}"
        : $"it must be a {TypeName} {Interval!.InWords}");

    /// <summary>Whether it is a key of some kinds only.</summary>
    internal bool IsOfSomeKinds => Kinds.Count > 0 || IsRegistered;

    /// <summary>Kinds that a host registers are unknown here, so they may use any key.</summary>
    internal bool AppliesTo(string kind) => !IsOfSomeKinds || Kinds.Contains(kind) || !KnownKinds.Contains(kind);

    private static bool IsBelowOff(SpecSection section) => section.IsNullable || (section.Section is { } above && IsBelowOff(above));

    private IReadOnlyList<string> KnownKinds => Section!.Kind!.IsText ? ModelSpec.BuiltInKinds : Section.Kind.Choices;
}

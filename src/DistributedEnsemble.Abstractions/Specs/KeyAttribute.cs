namespace DistributedEnsemble.Specs;

/// <summary>Says what a key or section of the spec means and which values it takes: once, for people and for the checks.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class KeyAttribute(string description) : Attribute
{
    public string Description { get; } = description;

    /// <summary>The interval of its numbers, as in "(0, 1]".</summary>
    public string? Range { get; init; }

    /// <summary>The interval of a list's length.</summary>
    public string? Items { get; init; }

    /// <summary>The regular expression of its texts.</summary>
    public string? Pattern { get; init; }

    /// <summary>What an error says after the value; without it the rule is told from type and interval.</summary>
    public string? Rule { get; init; }

    /// <summary>What an absent value means, where that is not a constant.</summary>
    public string? Absent { get; init; }

    /// <summary>The values of the section's `kind` that have this key; empty is all.</summary>
    public string[] Kinds { get; init; } = [];

    /// <summary>Whether only kinds that a host registered have it.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>Whether all members of a run share it, so that no variant has it; true of a section is true of its keys.</summary>
    public bool IsOfRun { get; init; }
}

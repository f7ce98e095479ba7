namespace DistributedEnsemble.Specs;

/// <summary>Variants that are drawn from the seed: <c>search</c>.</summary>
public sealed record SearchSpec
{
    [Key("Variants that are drawn.", Range = "[1, 1000]", Absent = "as members")]
    public int? Count { get; init; }

    [Key("What each key is drawn from: [low, high] or [low, high, \"log\"] of numbers, both ends included, or a list of values; two numbers "
        + "to choose from are [a, b, \"choice\"]. Drawn numbers have four digits.", Absent = "to be given")]
    public SpecSearch? Over { get; init; }
}

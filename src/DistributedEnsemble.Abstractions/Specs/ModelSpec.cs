namespace DistributedEnsemble;

public sealed record ModelSpec
{
    /// <summary>The kinds that are always there; a host may register more, and those may use any key of the section.</summary>
    public static IReadOnlyList<string> BuiltInKinds { get; } = ["mlp", "lenet", "resnet"];

    [Key("The architecture: mlp, lenet, resnet, or a name registered by the host.", Pattern = @"\A[^\p{Cc}]{1,100}\z",
        Rule = "it must be the name of a model, in quotes")]
    public string Kind { get; init; } = "mlp";

    [Key("Units of the hidden layers.", Kinds = ["mlp"], Range = "[1, 1000000]", Items = "[1, 64]")]
    public SpecList<int>? Hidden { get; init; }

    [Key("Layers, 6n+2 for a resnet (He et al., 2016).", Kinds = ["resnet"], Range = "[1, 1202]")]
    public int? Depth { get; init; }

    [Key("Channels of the first stage.", Kinds = ["resnet"], Range = "[1, 4096]")]
    public int? Width { get; init; }

    [Key("What a network that the host registered is told.", IsRegistered = true, Absent = "none")]
    public SpecSettings? Settings { get; init; }

    /// <summary>A model of this kind with all else at its default; a kind registered by the host has its own defaults.</summary>
    public static ModelSpec Of(string kind) => kind switch
    {
        "mlp" => new() { Kind = kind, Hidden = [128] },
        "resnet" => new() { Kind = kind, Depth = 20, Width = 16 },
        _ => new() { Kind = kind },
    };
}

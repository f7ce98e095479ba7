using System.Text.Json.Serialization;

namespace DistributedEnsemble.Specs;

/// <summary>The network: <c>model</c>. What belongs to other kinds than its own is null.</summary>
public sealed record ModelSpec
{
    /// <summary>The kinds that are always there; a host may register more, and those may use any key of the section.</summary>
    public static IReadOnlyList<string> BuiltInKinds => s_builtIn.Keys;

    private static readonly OrderedDictionary<string, ModelSpec> s_builtIn = new()
    {
        ["mlp"] = new() { Kind = "mlp", Hidden = [128] },
        ["tabm"] = new() { Kind = "tabm", Hidden = [256, 256], Submodels = 32 },
        ["lenet"] = new() { Kind = "lenet" },
        ["resnet"] = new() { Kind = "resnet", Depth = 20, Width = 16 },
    };

    [Key("The architecture: mlp, tabm, lenet, resnet, or a name registered by the host.", Pattern = @"\A[^\p{Cc}]{1,100}\z",
        Rule = "it must be the name of a model, in quotes")]
    public string Kind { get; init; } = "mlp";

    [Key("Units of the hidden layers.", Kinds = ["mlp", "tabm"], Range = "[1, 1000000]", Items = "[1, 64]")]
    public SpecList<int>? Hidden { get; init; }

    [Key("Networks that share one's weights and are averaged as members are (Gorishniy et al., 2025).", Kinds = ["tabm"], Range = "[1, 1000]")]
    public int? Submodels { get; init; }

    [Key("What a table's numbers become before the first layer: a vector each that bends at the quantiles of the training rows (Gorishniy et al., 2022).",
        Kinds = ["mlp", "tabm"], Absent = "none")]
    public NumericEmbedding? NumericEmbedding { get; init; }

    [Key("Layers, 6n+2 for a resnet (He et al., 2016).", Kinds = ["resnet"], Range = "[1, 1202]")]
    public int? Depth { get; init; }

    [Key("Channels of the first stage.", Kinds = ["resnet"], Range = "[1, 4096]")]
    public int? Width { get; init; }

    [Key("What a network that the host registered is told.", IsRegistered = true, Absent = "none")]
    public SpecSettings? Settings { get; init; }

    /// <summary>A model of this kind with all else at its default; a kind registered by the host has its own defaults.</summary>
    public static ModelSpec Of(string kind) => s_builtIn.GetValueOrDefault(kind) ?? new() { Kind = kind };
}

/// <summary>What a table's numbers become before the first layer.</summary>
public enum NumericEmbedding
{
    [JsonStringEnumMemberName("piecewise-linear")] PiecewiseLinear,
}

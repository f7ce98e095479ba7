using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Specs;

/// <summary>
/// All that decides the weights of a run, and how they are averaged. Together with the data it is the whole input: the
/// weights of member i at step t are a pure function of (spec, data, i, t).
/// </summary>
/// <remarks>
/// Every default is written in these records or brought by the dataset; a section that is null is off. What a key means
/// and which values it takes stands in its <see cref="KeyAttribute"/>, for readers and for <see cref="SpecSchema"/>.
/// </remarks>
public sealed record EnsembleSpec
{
    [Key("The run's name; without one the system chooses DATASET-N.", Pattern = RunName.Expression, Rule = RunName.Rule,
        Absent = "DATASET-N, N the first free number", IsOfRun = true)]
    public string? Name { get; init; }

    [Key("The 64-bit key of all randomness of the run.", Range = "[0, 18446744073709551615]", IsOfRun = true)]
    public ulong Seed { get; init; } = 1;

    [Key("The number of independently initialised models, K.", Range = "[1, 10000]", IsOfRun = true)]
    public int Members { get; init; } = 10;

    [Key("Threads of one member, which occupies as many lanes: for few members of large networks. The weights are the same with any number, but on libtorch.", Range = "[1, 256]", IsOfRun = true)]
    public int ThreadsPerMember { get; init; } = 1;

    [Key("The run's weight where runs share lanes: one of 3 is given three times as many as one of 1. The trained weights are the same with any.", Range = "[1, 100]", IsOfRun = true)]
    public int Priority { get; init; } = 1;

    [Key("What the run trains on.")]
    public DataSpec Data { get; init; } = new();

    [Key("The network of every member.")]
    public ModelSpec Model { get; init; } = new();

    [Key("Partial specs over this one, given to the members in turn: member i has number i mod their count.", Items = "[0, 1000]",
        Absent = "none", IsOfRun = true)]
    public SpecList<SpecVariant> Variants { get; init; } = [];

    [Key("Draws the variants from the seed (hyper-deep ensembles, Wenzel et al., 2020).", IsOfRun = true)]
    public SearchSpec? Search { get; init; }

    [Key("How the weights are trained.")]
    public TrainingSpec Training { get; init; } = new();

    [Key("Learns the predictions of another run, its teacher.", IsOfRun = true)]
    public DistillationSpec? Distillation { get; init; }

    [Key("What keeps the weights from fitting the noise.")]
    public RegularizationSpec Regularization { get; init; } = new();

    [Key("The exponentially decaying average of each member's weights (Polyak and Juditsky, 1992).", IsOfRun = true)]
    public AveragingSpec? Averaging { get; init; }

    [Key("Snapshots besides the final model.")]
    public SnapshotSpec? Snapshots { get; init; }

    [Key("What a member continues from after a crash.", IsOfRun = true)]
    public CheckpointSpec Checkpoints { get; init; } = new();

    [Key("The metric lines of a member.", IsOfRun = true)]
    public LoggingSpec Logging { get; init; } = new();

    [Key("Which models are averaged, and over what.", IsOfRun = true)]
    public PredictionSpec Prediction { get; init; } = new();

    /// <summary>Reads what <see cref="ToJson"/> wrote, now or in former times. The kind of the model was checked when the spec was resolved.</summary>
    /// <exception cref="SpecException">The text is not a valid spec.</exception>
    public static EnsembleSpec FromJson(string text)
    {
        var (keys, former) = SpecReader.ReadRecorded(text);
        var spec = SpecResolution.Resolve(keys, SpecLayer.Empty, modelKinds: null);
        return former.WasBFloat16 ? spec with { Training = spec.Training with { WasBFloat16 = true } } : spec;
    }

    /// <summary>What member i is trained by: this spec with the member's variant over it. A pure function; keys that are the run's are the same for all.</summary>
    public EnsembleSpec OfMember(int member) => Variants.Count == 0 ? this : SpecResolution.OfVariant(this, member % Variants.Count);

    /// <summary>An error of a member's spec, with the number of its variant.</summary>
    public SpecException ErrorOf(int member, SpecException error) =>
        Variants.Count == 0 ? error : SpecVariant.Error($"variants[{member % Variants.Count}]", error);

    /// <summary>The spec with every key spelled out that its kinds have; the same spec is always the same text.</summary>
    public string ToJson() => SpecWriter.Write(SpecBuilder.LayerOf(this));
}

/// <summary>What is predicted: a class or a number.</summary>
public enum TaskKind { Classification, Regression }

/// <summary>What the run trains on: <c>data</c>.</summary>
public sealed record DataSpec
{
    [Key("The name of a registered dataset, of a table's file, or of a folder of images.", Pattern = @"\A[^\p{Cc}]{1,1000}\z",
        Rule = "it must be the name of a dataset or of a file, in quotes", IsOfRun = true)]
    public string Dataset { get; init; } = "digits";

    [Key("The column that is predicted.", Pattern = @"\A[^\p{Cc}]{1,1000}\z", Rule = "it must be the name of a column, in quotes",
        Absent = "the first of target, label, class in any case; else the last column that is of use", IsOfRun = true)]
    public string? Target { get; init; }

    [Key("Whether a class or a number is predicted.",
        Absent = "classification if the target is text, or has at most 20 distinct whole numbers; else regression", IsOfRun = true)]
    public TaskKind? Task { get; init; }

    [Key("Columns that are left out.", Items = "[0, 10000]", Absent = "none", IsOfRun = true)]
    public SpecList<string>? Ignore { get; init; }

    [Key("Columns of numbers that are names of categories.", Items = "[0, 10000]", Absent = "none", IsOfRun = true)]
    public SpecList<string>? Categorical { get; init; }

    [Key("Whether the first line of a table names its columns.", Absent = "found by looking", IsOfRun = true)]
    public bool? Header { get; init; }

    [Key("A table of its own that tests.", Pattern = @"\A[^\p{Cc}]{1,1000}\z", Rule = "it must be the name of a file, in quotes",
        Absent = "every fifth row tests", IsOfRun = true)]
    public string? Test { get; init; }

    [Key("Pixels on a side to which the pictures of a folder are resized.", Range = "[1, 4096]", Absent = "the commonest side, at most 64", IsOfRun = true)]
    public int? ImageSize { get; init; }

    [Key("The share of the training rows that only chooses (selection, temperature, best member).", Range = "[0, 0.9]",
        Absent = "0.1; 0 with folds or bootstrap", Rule = "it must be a share from 0 to 0.9 of the training rows (0 keeps no validation split)", IsOfRun = true)]
    public double ValidationFraction { get; init; } = 0.1;

    [Key("Whether each member trains on as many rows drawn with replacement (Breiman, 1996); the rows that it did not draw measure it.",
        IsOfRun = true)]
    public bool Bootstrap { get; init; }

    [Key("k: member i trains without fold i mod k of the training rows, which measures it; 0 is no folds.", Range = "[0, 1000]", IsOfRun = true)]
    public int Folds { get; init; }

    [Key("The share of the features that a member is given, drawn by its own key (random subspaces, Ho, 1998).", Range = "(0, 1]",
        Rule = "it must be a share above 0 and at most 1 of the features (1 is all of them)")]
    public double Columns { get; init; } = 1;

    /// <summary>Whether members do not see all training rows: then those that they did not see measure, select and calibrate, all rows together.</summary>
    public bool HasOutOfFold => Folds > 0 || Bootstrap;
}

/// <summary>When members take checkpoints: <c>checkpoints</c>.</summary>
public sealed record CheckpointSpec
{
    [Key("Seconds between two checkpoints of a member.", Range = "[1, 86400]")]
    public int EverySeconds { get; init; } = 30;
}

/// <summary>When members write metric lines: <c>logging</c>.</summary>
public sealed record LoggingSpec
{
    [Key("Steps between two metric lines of a member.", Range = "[1, 1000000000]")]
    public int EverySteps { get; init; } = 50;
}

/// <summary>The constituents of a prediction: final models, snapshots, or EMA models.</summary>
public enum PredictionSource { Final, Snapshots, Ema }

/// <summary>Which models are averaged, and over what: <c>prediction</c>.</summary>
public sealed record PredictionSpec
{
    [Key("The models that are averaged: final models, snapshots or EMA models.")]
    public PredictionSource From { get; init; } = PredictionSource.Final;

    [Key("all, last:N (the last N snapshots of each member), or greedy (Caruana et al., 2004).",
        Pattern = @"\A(all|greedy|last:[1-9][0-9]{0,5})\z", Rule = "it must be all, greedy, or last:N with N from 1 to 999999")]
    public string Select { get; init; } = "all";

    [Key("Dropout masks averaged per constituent (Gal and Ghahramani, 2016); 0 is weight scaling.", Range = "[0, 100000]")]
    public int MonteCarloSamples { get; init; }
}

using System.Text.Json.Serialization;

namespace DistributedEnsemble.Specs;

/// <summary>How the weights are trained: <c>training</c>.</summary>
public sealed record TrainingSpec
{
    [Key("Passes over the training split.", Range = "[1, 1000000]")]
    public int Epochs { get; init; } = 10;

    [Key("Rows of one step.", Range = "[1, 1000000]")]
    public int BatchSize { get; init; } = 128;

    [Key("How a gradient changes the weights.")]
    public OptimizerSpec Optimizer { get; init; } = new();

    [Key("The learning rate as a function of the step.")]
    public ScheduleSpec Schedule { get; init; } = new();

    [Key("Members that end at their best model by the validation rows.")]
    public EarlyStoppingSpec? EarlyStopping { get; init; }

    [Key("What computes the network: own, with the same bits on every machine, or libtorch, which also computes what own cannot.",
        IsOfRun = true)]
    public KernelKind Kernels { get; init; } = KernelKind.Own;

    [Key("What a regression's networks say of a number: its mean and variance (Lakshminarayanan et al., 2017), or its mean alone.",
        IsOfRun = true)]
    public Likelihood Likelihood { get; init; } = Likelihood.Gaussian;

    [Key("What a row counts in a classification's loss: the same, or balanced so that the rows of each class together count alike.")]
    public ClassWeights ClassWeights { get; init; } = ClassWeights.Equal;

    /// <summary>Whether a run of former times computed its products in bfloat16. Its weights are float32 and predict so; nothing goes on training them.</summary>
    public bool WasBFloat16 { get; init; }
}

/// <summary>The arithmetic of a network's forward and backward pass.</summary>
public enum KernelKind { Own, Libtorch }

/// <summary>What a regression's networks say of a number: mean and variance, or the mean alone.</summary>
public enum Likelihood
{
    Gaussian,
    [JsonStringEnumMemberName("squared-error")] SquaredError,
}

/// <summary>What a row counts in a classification's loss.</summary>
public enum ClassWeights { Equal, Balanced }

/// <summary>The rule of the update.</summary>
public enum OptimizerKind { Sgd, Adam, AdamW }

/// <summary>How a gradient changes the weights: <c>training.optimizer</c>.</summary>
public sealed record OptimizerSpec
{
    [Key("The rule of the update.")]
    public OptimizerKind Kind { get; init; } = OptimizerKind.Sgd;

    [Key("μ in v ← μ·v + g, w ← w − α·v (PyTorch's form).", Kinds = ["sgd"], Range = "[0, 1)")]
    public double Momentum { get; init; } = 0.9;

    [Key("Decay of the first moment.", Kinds = ["adam", "adamw"], Range = "[0, 1)")]
    public double Beta1 { get; init; } = 0.9;

    [Key("Decay of the second moment.", Kinds = ["adam", "adamw"], Range = "[0, 1)")]
    public double Beta2 { get; init; } = 0.999;

    [Key("Added to the root of the second moment.", Kinds = ["adam", "adamw"], Range = "(0, 1]")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Adaptive steps are already of the order of α, so they start smaller.</summary>
    public static double LearningRateOf(OptimizerKind kind) => kind is OptimizerKind.Sgd ? 0.1 : 0.001;
}

/// <summary>The shape of the learning rate over the steps.</summary>
public enum ScheduleKind
{
    Constant,
    Step,
    Cosine,
    [JsonStringEnumMemberName("cyclic-cosine")] CyclicCosine,
}

/// <summary>The learning rate as a function of the step: <c>training.schedule</c>.</summary>
public sealed record ScheduleSpec
{
    [Key("The shape of the learning rate over the steps.")]
    public ScheduleKind Kind { get; init; } = ScheduleKind.Cosine;

    [Key("α₀, the learning rate of the first step.", Range = "(0, 1000]")]
    public double LearningRate { get; init; } = OptimizerSpec.LearningRateOf(OptimizerKind.Sgd);

    [Key("Epochs after which the rate is multiplied by the factor.", Kinds = ["step"], Range = "[1, 1000000]", Items = "[0, 1000]",
        Absent = "after half and three quarters of the epochs")]
    public SpecList<int>? Milestones { get; init; }

    [Key("What the rate is multiplied by at each milestone.", Kinds = ["step"], Range = "(0, 1]")]
    public double Factor { get; init; } = 0.1;

    [Key("The number of warm restarts, each ending in a snapshot (Huang et al., 2017).", Kinds = ["cyclic-cosine"],
        Range = "[1, 10000]", Absent = "as snapshots.perMember")]
    public int? Cycles { get; init; }
}

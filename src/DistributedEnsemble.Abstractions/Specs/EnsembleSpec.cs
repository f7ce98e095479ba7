namespace DistributedEnsemble;

/// <summary>
/// All that decides the weights of a run, and how they are averaged. Together with the data it is the whole input: the
/// weights of member i at step t are a pure function of (spec, data, i, t).
/// </summary>
/// <remarks>Every default is written here or brought by the dataset; a section that is null is off.</remarks>
public sealed record EnsembleSpec
{
    /// <summary>The run's name, [a-z0-9][a-z0-9-]{0,62}; null lets the system choose DATASET-N.</summary>
    public string? Name { get; init; }

    /// <summary>The 64-bit key of all randomness of the run.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The number of independently initialised models, K.</summary>
    public int Members { get; init; } = 10;

    /// <summary>Torch threads of one member; it occupies as many lanes.</summary>
    public int ThreadsPerMember { get; init; } = 1;

    public DataSpec Data { get; init; } = new();
    public ModelSpec Model { get; init; } = new();
    public TrainingSpec Training { get; init; } = new();
    public RegularizationSpec Regularization { get; init; } = new();

    /// <summary>Polyak averaging of each member's weights; null is off.</summary>
    public AveragingSpec? Averaging { get; init; }

    /// <summary>Snapshots besides the final model; null is off.</summary>
    public SnapshotSpec? Snapshots { get; init; }

    public CheckpointSpec Checkpoints { get; init; } = new();
    public LoggingSpec Logging { get; init; } = new();
    public PredictionSpec Prediction { get; init; } = new();
}

/// <summary>What a run trains on.</summary>
public sealed record DataSpec
{
    /// <summary>The name of a registered dataset, or of a CSV file.</summary>
    public string Dataset { get; init; } = "digits";

    /// <summary>The share of the training rows that only chooses (selection, temperature, best member); 0 is none.</summary>
    public double ValidationFraction { get; init; } = 0.1;
}

/// <summary>The network of every member.</summary>
public sealed record ModelSpec
{
    /// <summary>mlp, lenet, resnet, or a name registered by the host.</summary>
    public string Kind { get; init; } = "mlp";

    /// <summary>Units of the hidden layers of an mlp.</summary>
    public SpecList<int>? Hidden { get; init; }

    /// <summary>Layers of a resnet, 6n+2.</summary>
    public int? Depth { get; init; }

    /// <summary>Channels of a resnet's first stage.</summary>
    public int? Width { get; init; }
}

/// <summary>How the weights are trained.</summary>
public sealed record TrainingSpec
{
    public int Epochs { get; init; } = 10;
    public int BatchSize { get; init; } = 128;
    public OptimizerSpec Optimizer { get; init; } = new();
    public ScheduleSpec Schedule { get; init; } = new();

    /// <summary>The type in which matrix products are computed; weights stay float32.</summary>
    public Precision Precision { get; init; } = Precision.Float32;
}

public enum Precision { Float32, BFloat16 }

public enum OptimizerKind { Sgd, Adam, AdamW }

public sealed record OptimizerSpec
{
    public OptimizerKind Kind { get; init; } = OptimizerKind.Sgd;

    /// <summary>Of sgd: v ← μ·v + g, w ← w − α·v (PyTorch's form).</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Of adam and adamw: decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Of adam and adamw: decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Of adam and adamw: added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;
}

public enum ScheduleKind { Constant, Step, Cosine, CyclicCosine }

/// <summary>The learning rate as a function of the step.</summary>
public sealed record ScheduleSpec
{
    public ScheduleKind Kind { get; init; } = ScheduleKind.Cosine;

    /// <summary>α₀.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Of step: epochs after which the rate is multiplied by the factor; null is after half and three quarters of them.</summary>
    public SpecList<int>? Milestones { get; init; }

    /// <summary>Of step: what the rate is multiplied by at each milestone.</summary>
    public double Factor { get; init; } = 0.1;

    /// <summary>Of cyclic-cosine: the number of cycles; null means as many as snapshots.perMember.</summary>
    public int? Cycles { get; init; }
}

public sealed record RegularizationSpec
{
    /// <summary>λ of the loss term λ·Σw² over weights (PyTorch's coupled weight_decay is 2λ).</summary>
    public double L2 { get; init; }

    /// <summary>Decoupled: w ← w − α·weightDecay·w before each update (Loshchilov and Hutter, 2019).</summary>
    public double WeightDecay { get; init; }

    /// <summary>Null is off.</summary>
    public DropoutSpec? Dropout { get; init; }
}

public enum DropoutKind { Inverted, Vanilla }

public sealed record DropoutSpec
{
    /// <summary>The probability that a hidden unit is dropped.</summary>
    public double Rate { get; init; } = 0.5;

    /// <summary>The probability that an input is dropped.</summary>
    public double InputRate { get; init; }

    public DropoutKind Kind { get; init; } = DropoutKind.Inverted;
}

public enum AveragingReset { Never, Cycle }

/// <summary>The exponentially decaying average of one member's weights (Polyak and Juditsky, 1992).</summary>
public sealed record AveragingSpec
{
    /// <summary>d per step, in (0, 1]; 1 is the uniform average.</summary>
    public double Decay { get; init; } = 0.999;

    /// <summary>Steps between two hand-overs of the weights.</summary>
    public int EverySteps { get; init; } = 100;

    public AveragingReset Reset { get; init; } = AveragingReset.Never;
}

public sealed record SnapshotSpec
{
    /// <summary>M snapshots of each member at ⌈i·T/M⌉, the last is the final model.</summary>
    public int PerMember { get; init; } = 5;
}

public sealed record CheckpointSpec
{
    public int EverySeconds { get; init; } = 30;
}

public sealed record LoggingSpec
{
    /// <summary>Steps between two metric lines of a member.</summary>
    public int EverySteps { get; init; } = 50;
}

public enum PredictionSource { Final, Snapshots, Ema }

/// <summary>Which models are averaged, and over what.</summary>
public sealed record PredictionSpec
{
    public PredictionSource From { get; init; } = PredictionSource.Final;

    /// <summary>all, last:N (the last N snapshots of each member), or greedy (Caruana et al., 2004).</summary>
    public string Select { get; init; } = "all";

    /// <summary>Dropout masks averaged per constituent (Gal and Ghahramani, 2016); 0 is weight scaling.</summary>
    public int MonteCarloSamples { get; init; }
}

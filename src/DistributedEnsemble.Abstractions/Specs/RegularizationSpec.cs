namespace DistributedEnsemble.Specs;

/// <summary>What keeps the weights from fitting the noise: <c>regularization</c>.</summary>
public sealed record RegularizationSpec
{
    [Key("λ of the loss term λ·Σw² over weights (PyTorch's coupled weight_decay is 2λ).", Range = "[0, 1000]")]
    public double L2 { get; init; }

    [Key("Decoupled: w ← w − α·weightDecay·w before each update (Loshchilov and Hutter, 2019).", Range = "[0, 1000]")]
    public double WeightDecay { get; init; }

    [Key("Units dropped at random (Srivastava et al., 2014).")]
    public DropoutSpec? Dropout { get; init; }
}

/// <summary>Where dropout's factor is applied: in training (inverted) or in prediction (vanilla).</summary>
public enum DropoutKind { Inverted, Vanilla }

/// <summary>Units that are dropped at random: <c>regularization.dropout</c>.</summary>
public sealed record DropoutSpec
{
    private const string RateRule = "a dropout rate is a probability below 1 (0 switches dropout off)";

    [Key("The probability that a hidden unit is dropped.", Range = "[0, 1)", Rule = RateRule)]
    public double Rate { get; init; } = 0.5;

    [Key("The probability that an input is dropped.", Range = "[0, 1)", Rule = RateRule)]
    public double InputRate { get; init; }

    [Key("Whether training divides by the keep probability (inverted), or prediction multiplies by it (vanilla).")]
    public DropoutKind Kind { get; init; } = DropoutKind.Inverted;

    [Key("Whether convolutions have dropout, too, of whole channels (Tompson et al., 2015): after each pooling of lenet, and between the convolutions of each block of resnet.")]
    public bool Spatial { get; init; }

    [Key("Masks under which a training step sees each row of its batch; the loss is the mean over all of them.", Range = "[1, 64]")]
    public int Repeats { get; init; } = 1;
}
